"""Danger: the service manager says stop while everything is busy, or stuck; real signals to a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 15.0

PROGRAM = """
import itertools, json, logging, os, sys, threading
from prometheus_client import CollectorRegistry
from agent.clock import SystemClock
from agent.pipeline.channel import Channel, WhenFull
from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.pipeline.stage import Stage
from agent.pipeline.supervisor import Supervisor
from agent.service.signals import StopSignals
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller

channel, told, out = Channel(8, WhenFull.BLOCK), threading.Event(), []
put = []

def source(beat):
    for item in itertools.takewhile(lambda _: not told.is_set(), itertools.count()):
        channel.put(item, beat)
        put.append(item)

def sink(beat):
    for item in channel.items(beat):
        out.append(item)
        if len(out) == 1000:
            print("runs", flush=True)

def stuck(beat):
    threading.Event().wait()

def stage(name, work, on_stop):
    return Stage(name, work, on_stop, Heartbeat(name, SystemClock(), 10.0))

line = [[stage("source", source, told.set)], [stage("sink", sink, channel.close)]]
if sys.argv[1] == "stuck":
    line.append([stage("stuck", stuck, lambda: None)])
happened = PipelineHappenings(Teller(CollectorRegistry(), logging.getLogger("sitewatch")))
supervisor = Supervisor(line, happened, Heartbeats(), stop_within_s=float(sys.argv[2]))
with StopSignals(supervisor.ask_to_stop):
    outcome = supervisor.run()
print(json.dumps([outcome.reason.value, list(outcome.leftover), out == put]), flush=True)
os._exit(0 if outcome.is_clean else 70)
"""


@contextmanager
def _running(kind: str, stop_within_s: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, kind, str(stop_within_s)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_busy_line_stops_in_time_and_loses_nothing(number: signal.Signals) -> None:
    """One signal under full load: everything handed over is worked off, the end is clean and quick."""
    with _running("busy", 10.0) as process:
        began_s = time.monotonic()
        process.send_signal(number)
        answer, _ = process.communicate(timeout=DEADLINE_S)
        took_s = time.monotonic() - began_s

    assert answer == '["asked", [], true]\n'
    assert process.returncode == 0
    assert took_s < 8.0


def test_a_stuck_thread_is_named_and_the_status_tells() -> None:
    """The deadline holds although one thread never ends; the others ended properly."""
    with _running("stuck", 0.5) as process:
        process.send_signal(signal.SIGTERM)
        answer, _ = process.communicate(timeout=DEADLINE_S)

    assert answer == '["asked", ["stuck"], true]\n'
    assert process.returncode == 70


def test_a_second_signal_ends_a_stuck_line_at_once() -> None:
    """Whoever insists does not wait for the deadline."""
    with _running("stuck", 600.0) as process:
        process.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + DEADLINE_S
        while process.poll() is None and time.monotonic() < deadline_s:
            # Signals of one number that meet are one signal; so it insists until it is heard.
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)

    assert process.returncode == 128 + signal.SIGTERM
