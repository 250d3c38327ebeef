"""Events as a person would want to read them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

PLACES = (("top left", "top", "top right"), ("left", "middle", "right"), ("bottom left", "bottom", "bottom right"))


def read_event(event: dict[str, Any]) -> str:
    """One line for one event of the `events` topic."""
    moment = datetime.fromtimestamp(event["frame_time"], timezone.utc).astimezone()
    who = f"{event['label']} {event['track_id']}"
    return f"{moment:%H:%M:%S}  {event['camera']:<10} {_what(event, who)}"


def _what(event: dict[str, Any], who: str) -> str:
    place, score = _place(event["box_fraction"]), f"{event['score']:.0%}"
    if event["type"] == "new":
        return f"+ {who} appeared at the {place} ({score} sure)"
    seconds = (event["end_time"] or event["frame_time"]) - event["start_time"]
    if event["type"] == "end":
        return f"- {who} left at the {place}, after {seconds:.1f} s"
    return f"  {who} is at the {place} since {seconds:.0f} s ({score} sure)"


def _place(box_fraction: list[float]) -> str:
    """Which ninth of the picture the box's centre is in."""
    x1, y1, x2, y2 = box_fraction
    column, row = (min(2, int(3 * (low + high) / 2)) for low, high in ((x1, x2), (y1, y2)))
    return PLACES[row][column]
