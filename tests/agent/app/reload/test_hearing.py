"""How the thread that reloads hears of a change."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from agent.app.reload.requests import ReloadRequests
from agent.app.reload.site_file_watch import SiteFileWatch
from agent.service.signals import ReloadSignal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A site file."""
    path = tmp_path / "site.yaml"
    path.write_text("site: one")
    return path


def looked_at(file: Path) -> SiteFileWatch:
    """A watch that knows the file as it is."""
    watch = SiteFileWatch(file)
    watch.know()
    return watch


def test_a_changed_file_is_noticed_once_when_it_has_settled(file: Path) -> None:
    """One look may fall into the writing of it; the next finds the same, and it is told a single time."""
    watch = looked_at(file)
    before = watch.has_changed()
    file.write_text("site: tw")
    half = watch.has_changed()
    file.write_text("site: two")

    assert (before, half) == (False, False)
    assert [watch.has_changed() for _ in range(4)] == [False, True, False, False]


def test_a_file_that_was_replaced_is_noticed(file: Path) -> None:
    """As editors and configuration tools do it; while it is away nothing has changed."""
    watch = looked_at(file)
    file.unlink()
    away = [watch.has_changed() for _ in range(3)]
    other = file.with_name("other")
    other.write_text("site: two")
    other.replace(file)

    assert away == [False] * 3
    assert [watch.has_changed() for _ in range(3)] == [False, True, False]


def test_a_file_that_says_the_same_has_not_changed(file: Path) -> None:
    """Touched, or written again as it was."""
    watch = looked_at(file)
    os.utime(file, ns=(1, 1))
    touched = [watch.has_changed() for _ in range(3)]
    file.unlink()
    file.write_text("site: one")

    assert [*touched, *(watch.has_changed() for _ in range(3))] == [False] * 6


def test_signals_that_come_together_are_one_request() -> None:
    """SIGHUP does not end the process; when all is over nothing is asked for any more."""
    requests = ReloadRequests()
    with ReloadSignal(requests.ask):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)

    assert requests.wait(1.0)
    assert not requests.wait(0.0)
    requests.ask()
    requests.stop()
    assert not requests.wait(0.0)


def test_the_handler_of_before_comes_back() -> None:
    """Whoever had the signal has it again."""
    before = signal.getsignal(signal.SIGHUP)
    with ReloadSignal(lambda: None):
        assert signal.getsignal(signal.SIGHUP) != before

    assert signal.getsignal(signal.SIGHUP) == before
