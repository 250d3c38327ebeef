"""What is written down of each clip that is done, beside its results, for the next run."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.batch.clip_files import ResultPaths
from agent.app.batch.clips import Clip
from agent.app.batch.inputs import Inputs
from agent.app.batch.json_file import write_json
from agent.app.batch.results import Counts, Result, State
from agent.app.replay.part_file import part_of
from agent.errors import OutputError

FORMAT = 1
ENDING = ".done.json"


@dataclass(frozen=True)
class Looks:
    """By what a file is known to be the same as before."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Looks | None:
        """None where there is none."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns)


class Records:
    """A folder of them; any thread may use it, for different clips."""

    def __init__(self, folder: Path, digest: str, inputs: Inputs) -> None:
        """Nothing is read yet.

        Args:
            folder: of the results.
            digest: over all that decides what comes out of a clip.
            inputs: what is never removed.
        """
        self._folder = folder
        self._digest = digest
        self._inputs = inputs

    def find(self, clip: Clip, paths: ResultPaths) -> Result | None:
        """What came of the clip before, where it would come to the same now and all of it is still there."""
        written = self._read(clip)
        try:
            is_same = written["format"] == FORMAT and written["digest"] == self._digest
            is_same = is_same and written["clip"] == str(clip.path) and _looks(written) == Looks.of(clip.path)
            sizes = {path.name: path.stat().st_size for path in paths.every()}
            return _result(clip, written) if is_same and written["results"] == sizes else None
        except (OSError, KeyError, TypeError, ValueError, AttributeError):  # a result is gone, or it is no record
            return None

    def write(self, result: Result, looks: Looks, paths: ResultPaths) -> None:
        """Write down what came of a clip whose results have their names by now; where it cannot be, they go.

        Args:
            result: of the clip.
            looks: of its file, when it began to be played.
            paths: of its results.

        Raises:
            OutputError: it cannot be written.
        """
        content = {
            "format": FORMAT,
            "clip": str(result.clip.path),
            "size": looks.size,
            "mtime_ns": looks.mtime_ns,
            "digest": self._digest,
            "state": result.state.value,
            "reason": result.reason,
            **counts_as_json(result.counts),
            "seconds": round(result.seconds, 3),
            "results": {each.name: each.stat().st_size for each in paths.every()},
        }
        try:
            write_json(self._path(result.clip), content)
        except OutputError:
            for each in paths.every():
                each.unlink(missing_ok=True)
            raise

    def remove(self, clip: Clip, keep: ResultPaths | None = None) -> None:
        """What is written down of a clip holds no longer: take it away, and the results it speaks of.

        Args:
            clip: which.
            keep: results that are about to be replaced, and so stay until then.

        Raises:
            OutputError: it cannot be.
        """
        path, results = self._path(clip), self._read(clip).get("results", {})
        kept = {each.name for each in keep.every()} if keep is not None else set()
        try:
            path.unlink(missing_ok=True)
            for name in results if isinstance(results, dict) else ():
                if name not in kept and _is_of(clip, name) and self._folder / name not in self._inputs:
                    (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path} cannot be removed: {error.strerror}") from error

    def clean(self, clip: Clip, paths: ResultPaths) -> None:
        """Take away what a run that was killed left half written.

        Raises:
            OutputError: it cannot be.
        """
        try:
            for path in (*paths.every(), self._path(clip)):
                part_of(path).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{error.filename} cannot be removed: {error.strerror}") from error

    def _path(self, clip: Clip) -> Path:
        return self._folder / f"{clip.name}{ENDING}"

    def _read(self, clip: Clip) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            written = json.loads(self._path(clip).read_bytes())
            if isinstance(written, dict):
                return written
        return {}


def counts_as_json(counts: Counts) -> dict[str, object]:
    """For records and the summary."""
    return {"frames": counts.frames, "events": dict(counts.events), "objects": dict(counts.objects)}


def _is_of(clip: Clip, name: str) -> bool:
    """Whether it is a name that a result of the clip may have; a record could have been written by anybody."""
    return name in {f"{clip.name}{ending}" for ending in (".events.jsonl", ".mp4", ".txt")}


def _looks(written: dict[str, Any]) -> Looks:
    return Looks(written["size"], written["mtime_ns"])


def _result(clip: Clip, written: dict[str, Any]) -> Result:
    counts = Counts(int(written["frames"]), Counter(written["events"]), Counter(written["objects"]))
    is_damaged = State(written["state"]) is State.DAMAGED
    state = State.DAMAGED if is_damaged else State.DONE_BEFORE
    return Result(clip, state, str(written["reason"]), counts, float(written["seconds"]))
