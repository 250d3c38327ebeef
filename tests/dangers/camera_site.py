"""A site whose cameras are in danger, and what became of each; events go to a file."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

from live.agent_process import AgentProcess, until
from live.sites import write_site


class CameraSite:
    """The agent with these cameras; enter it to start it."""

    def __init__(self, folder: Path, cameras: Mapping[str, Mapping[str, Any]], **more: Any) -> None:
        self._events = folder / "events.jsonl"
        site = write_site(folder, cameras, **{"sink": "jsonl", "events_file": str(self._events), **more})
        self.agent = AgentProcess(site, folder)

    def __enter__(self) -> CameraSite:
        self.agent.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.agent.__exit__(kind, error, trace)

    def cameras(self) -> dict[str, Any]:
        """How each is."""
        return dict(self.agent.get("/api/v1/status").json()["cameras"])

    def state(self, camera: str) -> tuple[str, str | None]:
        """State and reason."""
        status = self.cameras()[camera]
        return status["state"], status["reason"]

    def frames(self, camera: str, outcome: str = "detected") -> float:
        """So many so far."""
        labels = f'sitewatch_frames_total{{camera="{camera}",outcome="{outcome}"}}'
        found = re.search(rf"^{re.escape(labels)} (\S+)", self.agent.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def await_frames(self, *cameras: str, more: int = 5) -> None:
        """Wait until so many more of each have been detected in."""
        before = {camera: self.frames(camera) for camera in cameras}
        for camera in cameras:
            until(lambda name=camera: self.frames(name) >= before[name] + more, f"{more} more frames of {camera}")

    def await_state(self, camera: str, state: str, *reasons: str | None) -> None:
        """Wait until it is so, for one of these reasons if any are named."""
        until(lambda: self._is(camera, state, reasons), f"{camera} is {state} {reasons or ''}")

    def events(self, camera: str | None = None) -> list[dict[str, Any]]:
        """Of one camera, or of all."""
        if not self._events.exists():
            return []
        events = [json.loads(line) for line in self._events.read_text().splitlines()]
        return [event for event in events if camera in {None, event["camera"]}]

    def lives(self, camera: str) -> list[list[dict[str, Any]]]:
        """The events of each track."""
        lives: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.events(camera):
            lives[event["id"]].append(event)
        return list(lives.values())

    def assert_sane(self) -> None:
        """Once stopped: every track begins and ends once, in order, and no exception was told."""
        assert "Traceback" not in self.agent.log
        events = self.events()
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        for camera in {event["camera"] for event in events}:
            for life in self.lives(camera):
                _assert_one_life(life)

    def _is(self, camera: str, state: str, reasons: tuple[str | None, ...]) -> bool:
        now_state, now_reason = self.state(camera)
        return now_state == state and (not reasons or now_reason in reasons)


def _assert_one_life(life: list[dict[str, Any]]) -> None:
    kinds = [event["type"] for event in life]
    assert kinds == ["new", *["update"] * (len(kinds) - 2), "end"], kinds
    assert all(first["frame_sequence"] <= second["frame_sequence"] for first, second in pairwise(life))
    for event in life:
        assert event["start_time"] <= event["frame_time"], event
    assert life[-1]["start_time"] <= life[-1]["end_time"] <= life[-1]["frame_time"], life[-1]
