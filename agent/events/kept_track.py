"""An open track as plain data, so that the next run of the agent can go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from math import isfinite
from typing import Any

from agent.events.event import Box
from agent.events.open_track import OpenTrack, Sighting
from agent.stream.frame import ClockSource, FrameInfo


class KeptTrackError(ValueError):
    """What was kept of a track cannot be read; says what is wrong with it."""


def kept_track(track: OpenTrack, at_s: float) -> dict[str, object]:
    """All that is remembered of a track, 0.5 kB as JSON.

    Args:
        track: nothing of it is changed.
        at_s: monotonic seconds that its times are told relative to.
    """
    told = None if track.told is None else [*track.told[:2], track.told[2] - at_s]
    return {
        "track_id": track.track_id,
        "run_id": track.run_id,
        "first": _plain(track.first, at_s),
        "last": _plain(track.last, at_s),
        "sightings": track.sightings,
        "label": track.label,
        "top_score": track.top_score,
        "other_label": track.other_label,
        "other_sightings": track.other_sightings,
        "told": told,
    }


def open_track(kept: Mapping[str, Any], camera_id: str, at_s: float) -> OpenTrack:
    """The track again.

    Args:
        kept: what `kept_track` gave, through JSON or not.
        camera_id: whose track.
        at_s: the same moment as then, on the monotonic clock of now.

    Raises:
        KeptTrackError: it is something else, or incomplete.
    """
    try:
        track = OpenTrack(_number(kept["track_id"]), _sighting(kept["first"], camera_id, at_s), str(kept["run_id"]))
        track.last = _sighting(kept["last"], camera_id, at_s)
        track.sightings = _number(kept["sightings"])
        track.label, track.other_label = str(kept["label"]), str(kept["other_label"])
        track.top_score = _finite(kept["top_score"])
        track.other_sightings = int(kept["other_sightings"])
        if kept["told"] is not None:
            label, top_score, age_s = kept["told"]
            track.told = str(label), _finite(top_score), at_s + _finite(age_s)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise KeptTrackError(f"a kept track of {camera_id}: {type(error).__name__}: {error}") from error
    return track


def _plain(sighting: Sighting, at_s: float) -> dict[str, object]:
    frame = sighting.frame
    return {
        "label": sighting.label,
        "score": sighting.score,
        "box": list(sighting.box),
        "sequence": frame.sequence,
        "captured_at": frame.captured_at.isoformat(),
        "clock_source": frame.clock_source.value,
        "age_s": frame.captured_monotonic_s - at_s,
        "size": [frame.width_px, frame.height_px],
    }


def _sighting(plain: Mapping[str, Any], camera_id: str, at_s: float) -> Sighting:
    width_px, height_px = plain["size"]
    frame = FrameInfo(
        camera_id=camera_id,
        sequence=int(plain["sequence"]),
        captured_at=_moment(plain["captured_at"]),
        clock_source=ClockSource(plain["clock_source"]),
        captured_monotonic_s=at_s + _finite(plain["age_s"]),
        width_px=_number(width_px),
        height_px=_number(height_px),
    )
    return Sighting(frame, str(plain["label"]), _finite(plain["score"]), _box(plain["box"]))


def _box(plain: list[float]) -> Box:
    x1, y1, x2, y2 = plain
    return _finite(x1), _finite(y1), _finite(x2), _finite(y2)


def _finite(plain: Any) -> float:  # noqa: ANN401 - whatever JSON holds
    number = float(plain)
    if not isfinite(number):
        raise ValueError(f"expected a number, got {plain!r}")
    return number


def _number(plain: object) -> int:
    if type(plain) is not int or plain < 1:
        raise ValueError(f"expected a whole number of 1 or more, got {plain!r}")
    return plain


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone, got {text}")
    return moment.astimezone(timezone.utc)
