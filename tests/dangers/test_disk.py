"""Danger: the disk with the outbox runs full or turns read-only, for real; the agent goes on and tells it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.accounts import assert_balanced
from dangers.watched_site import CALM, WatchedSite
from live.agent_process import until
from servers.small_disk import FailingDisk, SmallDisk

pytestmark = [pytest.mark.mosquitto, pytest.mark.mounts]
SIZE_MIB = 6
LOST = re.compile(r"of the events (\d+) to (\d+), those that the receiver had not acknowledged are lost")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def wait_in_memory(site: WatchedSite, disk: SmallDisk) -> None:
    """Fill the disk while the broker is away, until events wait in memory too."""
    site.broker.stop()
    disk.fill()
    until(lambda: site.agent.metric("sitewatch_outbox_failures_total") > 0, "the disk is full", 40.0)
    before = site.agent.metric("sitewatch_outbox_events")
    site.await_waiting(int(before) + 100)


def test_disk_runs_full(tmp_path: Path, stack: ExitStack) -> None:
    """Events go on from memory, and onto the disk once it has room: all arrive, and the stop is clean."""
    disk = stack.enter_context(SmallDisk(tmp_path / "state", SIZE_MIB))
    site = WatchedSite(stack, tmp_path, outbox={"replay_rate": 5000})
    site.agent.start()
    site.await_events(50)
    wait_in_memory(site, disk)
    site.broker.start()
    site.await_events(200)
    disk.free()
    until(lambda: "the outbox can be written again" in site.agent.log, "the disk is used again")
    assert site.agent.metric("sitewatch_outbox_dropped_total") == 0
    assert site.stop() == 0
    site.configure(CALM)
    site.agent.start()
    site.await_drained()

    assert site.stop() == 0
    site.assert_all_arrived()


def test_disk_full_and_killed(tmp_path: Path, stack: ExitStack) -> None:
    """What waited in memory alone is lost, and said to be; its numbers are given to nothing else."""
    disk = stack.enter_context(SmallDisk(tmp_path / "state", SIZE_MIB))
    site = WatchedSite(stack, tmp_path, outbox={"replay_rate": 5000})
    site.agent.start()
    site.await_events(50)
    wait_in_memory(site, disk)
    site.agent.kill()
    given = site.last_number()
    disk.free()
    site.broker.start()
    site.configure(CALM)
    site.agent.start()
    until(lambda: site.ledger.missing(given)[-1:] > [given], "events of the new run", 30.0)
    assert site.stop() == 0
    told = LOST.search(site.agent.log)
    assert told is not None
    first, last = int(told[1]), int(told[2])

    assert last == given
    assert site.ledger.faults == []
    assert site.ledger.missing(site.last_number()) == list(range(first, last + 1))


def test_disk_turns_read_only(tmp_path: Path, stack: ExitStack) -> None:
    """As a worn card does: events go on from memory to the broker, it is told, and the stop is clean."""
    disk = stack.enter_context(FailingDisk(tmp_path / "state", tmp_path / "image"))
    site = WatchedSite(stack, tmp_path)
    site.agent.start()
    site.await_events(50)
    disk.fail()
    until(lambda: site.agent.metric("sitewatch_outbox_failures_total") > 0, "told", 20.0)
    site.await_events(500)
    assert site.stop() == 0

    assert "events wait in memory and would be lost with the process" in site.agent.log
    assert "the numbers of events cannot be noted" in site.agent.log
    assert_balanced(site.ledger, site.ledger.count)


def test_outbox_file_is_overwritten_with_garbage(tmp_path: Path, stack: ExitStack) -> None:
    """It is set aside under a new name and told; the numbers go on where they were, so the loss can be counted."""
    site = WatchedSite(stack, tmp_path, camera=CALM)
    site.agent.start()
    site.await_events(20)
    site.broker.stop()
    site.await_waiting(30)
    site.agent.kill()
    given, outbox = site.last_number(), tmp_path / "state" / "outbox.sqlite3"
    with sqlite3.connect(outbox) as reader:
        waiting = [row[0] for row in reader.execute("SELECT sequence FROM event")]
    reader.close()
    outbox.write_bytes(b"garbage" * 1000)
    site.broker.start()
    site.agent.start()
    until(lambda: site.ledger.missing(given)[-1:] > [given], "events of the new run", 30.0)
    assert site.stop() == 0

    assert list(outbox.parent.glob("outbox.sqlite3.corrupt-*Z"))
    assert "set aside as" in site.agent.log
    assert site.ledger.faults == []
    assert set(site.ledger.missing(site.last_number())) <= set(waiting)
