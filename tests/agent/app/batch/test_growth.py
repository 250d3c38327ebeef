"""A batch of many clips needs no more than one of few: what belonged to a clip goes with it."""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from batches.batching import batch
from clips.rendered import render_clip
from replays.replaying import SIZE_PX

from agent.app.batch.progress import BatchProgress
from agent.app.batch.results import Result

FEW, MANY = 10, 60
# What is left of a clip: its result for the summary, its path, names and numbers by its name; more on Python 3.10.
MOST_BYTES_A_CLIP = 3_000
MOST_FILES = 4
# Of libraries; what one clip's background is, kept for each, would be some hundred.
MOST_MIB = 40
PROCESS = Path("/proc/self")


class InUse(NamedTuple):
    """What a process takes at one moment."""

    traced_bytes: int
    resident_mib: float
    files: int


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Links to one clip, each with a name of its own."""
    render_clip(tmp_path / "one.mp4", seconds=0.4, size=SIZE_PX)
    (tmp_path / "clips").mkdir()
    links = [tmp_path / "clips" / f"clip{number}.mp4" for number in range(MANY)]
    for link in links:
        link.symlink_to(tmp_path / "one.mp4")
    return links


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory is counted."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def in_use_at_the_end(clips: Sequence[Path], out: Path, monkeypatch: pytest.MonkeyPatch) -> InUse:
    """Of a batch when its last clip is done, and everything of it still stands."""
    ended: list[Result] = []
    found = []
    finished = BatchProgress.finished

    def look(progress: BatchProgress, result: Result) -> None:
        finished(progress, result)
        ended.append(result)
        if len(ended) == len(clips):
            gc.collect()
            found.append(InUse(tracemalloc.get_traced_memory()[0], *_of_the_process()))

    with monkeypatch.context() as patch:
        patch.setattr(BatchProgress, "finished", look)
        assert batch(clips, out, "--jobs", "2", "--no-video").exit_status == 0
    return found[0]


@pytest.mark.usefixtures("traced")
def test_memory_does_not_grow(clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many clips leave hardly more than their results, and no file open."""
    in_use_at_the_end(clips[:FEW], tmp_path / "warm", monkeypatch)  # fills what is kept once
    few = in_use_at_the_end(clips[:FEW], tmp_path / "few", monkeypatch)
    many = in_use_at_the_end(clips, tmp_path / "many", monkeypatch)

    assert (many.traced_bytes - few.traced_bytes) / (MANY - FEW) < MOST_BYTES_A_CLIP
    assert many.resident_mib - few.resident_mib < MOST_MIB
    assert many.files - few.files <= MOST_FILES


def _of_the_process() -> tuple[float, int]:
    """Its resident memory in MiB and how many files it has open; nothing where the system does not say."""
    if not PROCESS.exists():
        return 0.0, 0
    pages = int((PROCESS / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, sum(1 for _ in (PROCESS / "fd").iterdir())
