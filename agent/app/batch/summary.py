"""What came of a batch: a table for a person, and a file for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.app.batch.json_file import write_json
from agent.app.batch.records import counts_as_json
from agent.app.batch.results import Counts, Result, State
from agent.app.model.evaluate.table import table_lines

FILE = "summary.json"
PLAYED = (State.DONE, State.DAMAGED)


@dataclass(frozen=True)
class Summary:
    """All clips of one run.

    Attributes:
        results: one a clip, in the order given.
        played: names of those that this run played to their end.
        seconds: that all of them took together, the engine ready.
        engine: what detected; "" where nothing was played.
    """

    results: Sequence[Result]
    played: frozenset[str]
    seconds: float
    engine: str

    @property
    def totals(self) -> Counts:
        """Of all clips that are done."""
        totals = Counts()
        for counts in (result.counts for result in self.results):
            totals.frames += counts.frames
            totals.events += counts.events
            totals.objects += counts.objects
        return totals

    @property
    def states(self) -> dict[str, int]:
        """How many clips ended in each way."""
        found = Counter(result.state for result in self.results)
        return {state.value: found[state] for state in State if found[state]}

    @property
    def rate(self) -> float:
        """Frames a second of what this run played."""
        frames = sum(result.counts.frames for result in self.results if result.clip.name in self.played)
        return frames / self.seconds if self.seconds > 0 else 0.0

    def as_text(self) -> str:
        """A row a clip, and a line of totals."""
        rows = [
            [result.clip.name, result.state.value, str(result.counts.frames), str(result.counts.events.total()),
             _rate(result) if result.clip.name in self.played else "-"]
            for result in self.results
        ]  # fmt: skip
        table = list(table_lines(["clip", "state", "frames", "events", "frames/s"], rows, texts=2))
        width = max(map(len, table))
        lines = [f"{line.ljust(width)}  {note}".rstrip() for line, note in zip(table, self._notes(), strict=True)]
        totals = self.totals
        states = ", ".join(f"{count} {state}" for state, count in self.states.items())
        told = f"{len(self.results)} clips: {states}; {totals.frames} frames, {totals.events.total()} events"
        played = f"; played in {self.seconds:.1f} s, {self.rate:.1f} frames/s; {self.engine}" if self.engine else ""
        return "\n".join([*lines, "", f"{told}{played}"])

    def write(self, folder: Path) -> None:
        """As JSON, whole.

        Raises:
            OutputError: it cannot be written.
        """
        write_json(folder / FILE, self._as_json())

    def _notes(self) -> list[str]:
        """What stands behind each line of the table."""
        return ["", *("; ".join(filter(None, (_objects(each.counts), each.reason))) for each in self.results)]

    def _as_json(self) -> dict[str, object]:
        return {
            "clips": [
                {
                    "clip": str(result.clip.path),
                    "name": result.clip.name,
                    "camera": result.clip.camera_id,
                    "state": result.state.value,
                    "reason": result.reason,
                    **counts_as_json(result.counts),
                    "seconds": round(result.seconds, 3),
                }
                for result in self.results
            ],
            "states": self.states,
            "totals": counts_as_json(self.totals),
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.rate, 2),
            "engine": self.engine,
        }


def _rate(result: Result) -> str:
    return f"{result.counts.frames / result.seconds:.1f}" if result.counts.frames and result.seconds > 0 else "-"


def _objects(counts: Counts) -> str:
    return ", ".join(f"{count} {label}" for label, count in counts.objects.most_common())
