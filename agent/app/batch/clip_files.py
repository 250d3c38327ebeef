"""The files that belong to one clip: their names, and writing them."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.app.batch.clips import Clip
from agent.app.batch.json_file import sync
from agent.app.batch.results import Counts
from agent.app.replay.outputs import Outputs
from agent.app.works.told import Told
from agent.errors import OutputError


@dataclass(frozen=True)
class ResultPaths:
    """Where a clip's results go; what is not asked for is None."""

    events: Path
    video: Path | None
    mot: Path | None

    @classmethod
    def of(cls, clip: Clip, options: argparse.Namespace) -> ResultPaths:
        """In the folder `out`, by `mot` and `no_video`."""
        folder: Path = options.out
        return cls(
            folder / f"{clip.name}.events.jsonl",
            None if options.no_video else folder / f"{clip.name}.mp4",
            folder / f"{clip.name}.txt" if options.mot else None,
        )

    def every(self) -> list[Path]:
        """Those asked for."""
        return [path for path in (self.events, self.video, self.mot) if path is not None]


class ClipFiles:
    """The open files of one clip in play; used by one thread. Left open, they vanish with `discard`.

    Attributes:
        counts: what went into them.
    """

    def __init__(self, clip: Clip, paths: ResultPaths) -> None:
        self.counts = Counts()
        self._paths = paths
        self._outputs = Outputs(
            argparse.Namespace(clip=clip.path, events=str(paths.events), mot=paths.mot, video=paths.video)
        )

    def open(self) -> ClipFiles:
        """Make the files; returns itself.

        Raises:
            OutputError: one cannot be written.
        """
        self._outputs.__enter__()
        return self

    def tell(self, told: Told) -> None:
        """Write one frame and its events.

        Raises:
            OutputError: a file cannot be written.
        """
        self._outputs.tell(told)
        self.counts.add(told)

    def keep(self) -> None:
        """Finish the files, give them their names and have them on the disk for sure.

        Raises:
            OutputError: one cannot be written; none is kept then.
        """
        self._outputs.__exit__(None, None, None)
        for path in self._paths.every():
            sync(path)

    def discard(self) -> None:
        """Nothing is kept."""
        with suppress(OutputError):  # what an encoder still held no longer matters
            self._outputs.discard()
