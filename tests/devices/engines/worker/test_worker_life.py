"""How a worker begins and ends: refusals at the start, the agent's death, order and forgetfulness at the end."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.worker_bench import QUICK, ask, children, open_descriptors, open_moody
from fakes.worker_runtimes.moody import CRASH, EXIT, FAIL, HANG

from devices.engines.engine import BuildProgress, BuildWatch
from devices.errors import EngineLoadError, EngineUnavailable

AGENT = """
import sys, time
sys.path[:0] = {folders!r}
from fakes.worker_bench import ask, open_moody
with open_moody() as engine:
    ask(engine.session(), 1)
    print(engine.worker_pid, flush=True)
    time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """A zombie of another parent counts as ended."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("is_stopped", [False, True], ids=["idle", "stopped"])
def test_the_worker_ends_with_the_agent(*, is_stopped: bool) -> None:
    """When the agent is killed its worker ends, even one that runs no Python at the time."""
    folders = [str(Path(__file__).parents[3]), str(Path(__file__).parents[4])]
    code = AGENT.format(folders=folders)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        pid = int(agent.stdout.readline())
        if is_stopped:
            os.kill(pid, signal.SIGSTOP)
        agent.kill()
        agent.wait(5)
        until_s = time.monotonic() + 5
        while is_running(pid) and time.monotonic() < until_s:
            time.sleep(0.01)

    assert not is_running(pid)


def test_signals_for_the_agent_leave_it_alone() -> None:
    """What a terminal or a service manager sends to every process is the agent's to answer."""
    with open_moody() as engine:
        session, pid = engine.session(), engine.worker_pid
        assert pid is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid, number)

        assert ask(session, 2) == 4
        assert engine.worker_pid == pid


def test_the_end_leaves_nothing() -> None:
    """Closing ends the process and gives back every descriptor."""
    before = open_descriptors(), children()
    with open_moody() as engine:
        session = engine.session()
        ask(session, 1)
        session.close()

    assert (open_descriptors(), children()) == before


def test_what_is_forgotten_is_closed() -> None:
    """An engine and a session that nobody holds any more let go of the worker."""
    before = children()
    with open_moody() as engine:
        session = engine.session()
        ask(session, 1)
    assert children() != before

    del session, engine
    gc.collect()

    assert children() == before


def test_the_load_is_told_and_timed() -> None:
    """Progress of a long load reaches who watches; a load beyond its deadline is ended."""
    told: list[BuildProgress] = []
    with open_moody(build=BuildWatch(told.append, deadline_s=20)):
        assert told == [BuildProgress("half of it", 0.5)]

    before = children()
    with (
        pytest.raises(EngineLoadError, match=r"gave no answer within 1 s; .* \(while it loaded the model"),
        open_moody(build=BuildWatch(deadline_s=1), mood=HANG),
    ):
        pass
    assert children() == before


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        (CRASH, "was ended by SIGSEGV; its last words: loading 5 bytes .while it loaded the model"),
        (EXIT, "exit status 3; its last words: terminate called: out of patience"),
        (FAIL, "moody, in the engine worker, refuses the model: not in the mood"),
    ],
)
def test_a_load_that_fails(mood: float, sentence: str) -> None:
    """A crash, an exit and a refusal while loading are answers, and nothing is left of the worker."""
    before = open_descriptors(), children()
    with pytest.raises(EngineLoadError, match=sentence), open_moody(mood=mood):
        pass
    assert (open_descriptors(), children()) == before


def test_no_such_interpreter(tmp_path: Path) -> None:
    """A Python that is not there is named."""
    nowhere = tmp_path / "python3.8"
    with (
        pytest.raises(EngineUnavailable, match=f"cannot be started with {nowhere}: No such file"),
        open_moody(python=nowhere),
    ):
        pass


def test_an_interpreter_that_is_none() -> None:
    """A program that says nothing we know is refused with how it ended."""
    with (
        pytest.raises(EngineUnavailable, match=r"exit status 1.* \(started with /bin/false\)"),
        open_moody(python=Path("/bin/false")),
    ):
        pass


def test_a_script_may_stand_for_the_interpreter(tmp_path: Path) -> None:
    """A shell script that sets up its surroundings and ends in exec is an interpreter."""
    script = tmp_path / "python-with-libraries"
    script.write_text(f'#!/bin/sh\nexport SOMETHING=1\nexec {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)

    with open_moody(QUICK, python=script) as engine:
        assert ask(engine.session(), 3) == 6
