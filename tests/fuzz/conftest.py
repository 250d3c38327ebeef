"""A hang is a finding: what takes too long shows where it hangs, and ends the run."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator

import pytest
from fuzz.effort import FACTOR

HANG_S = 120.0


@pytest.fixture(scope="session")
def real_stderr(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where a person reads, while pytest holds back what tests write."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        descriptor = os.dup(2)
    yield descriptor
    os.close(descriptor)


@pytest.fixture(autouse=True)
def _hang_watch(real_stderr: int) -> Iterator[None]:
    limit_s = HANG_S * max(1, int(os.environ.get(FACTOR, "0")))
    faulthandler.dump_traceback_later(limit_s, exit=True, file=real_stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
