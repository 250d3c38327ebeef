"""What each message says, as JSON; the schemas of the four are in `config/payloads`.

Field names are Frigate's where the meaning is the same: `type`, `id`, `camera`, `label`, `score`, `top_score`, `box`,
`frame_time`, `start_time`, `end_time` (the times in Unix seconds).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from agent.events.event import Box, Event, clip, fraction
from agent.publish.status import CameraStatus, SiteState, SiteStatus
from agent.track.tracked import TrackedFrame

SCHEMA_VERSION = 1


def event_payload(event: Event, sequence: int) -> bytes:
    """One event with the number it has in the site's order."""
    return _json(
        {
            "schema_version": SCHEMA_VERSION,
            "type": event.kind.value,
            "site": event.site_id,
            "camera": event.camera_id,
            "id": object_id(event.track_run_id or event.run_id, event.camera_id, event.track_id),
            "event_id": event.event_id,
            "sequence": sequence,
            "run_id": event.run_id,
            "track_id": event.track_id,
            "label": event.label,
            "score": _score(event.score),
            "top_score": _score(event.top_score),
            "occurred_at": _rfc3339(event.occurred_at),
            "frame_time": _unix_s(event.occurred_at),
            "start_time": _unix_s(event.started_at),
            "end_time": None if event.ended_at is None else _unix_s(event.ended_at),
            "clock_source": event.clock_source.value,
            "frame_sequence": event.frame_sequence,
            "frame_size": list(event.frame_size),
            "box": _pixels(event.box),
            "box_fraction": _fractions(event.box_fraction),
        }
    )


def detections_payload(
    site_id: str, run_id: str, tracked: TrackedFrame, taken_over: Mapping[tuple[str, int], str] | None = None
) -> bytes:
    """Every track of one processed frame; an empty list says that nothing was there.

    Args:
        site_id: goes into it.
        run_id: goes into it.
        tracked: the frame.
        taken_over: of camera and track, the earlier run that numbered it.
    """
    frame = tracked.frame.info
    return _json(
        {
            "schema_version": SCHEMA_VERSION,
            "site": site_id,
            "camera": frame.camera_id,
            "run_id": run_id,
            "frame_sequence": frame.sequence,
            "occurred_at": _rfc3339(frame.captured_at),
            "frame_time": _unix_s(frame.captured_at),
            "clock_source": frame.clock_source.value,
            "frame_size": [frame.width_px, frame.height_px],
            "tracks": _tracks(run_id, tracked, taken_over or {}),
        }
    )


def site_status_payload(status: SiteStatus) -> bytes:
    """Whether the agent is there, and what runs."""
    return _json(
        {
            "schema_version": SCHEMA_VERSION,
            "site": status.site_id,
            "state": status.state.value,
            "since": _rfc3339(status.since),
            "version": status.version,
            "run_id": status.run_id,
            "engine": status.engine,
            "engine_reason": status.engine_reason,
            "config_digest": status.config_digest,
            "reload": status.reload,
            "health": _health(status),
        }
    )


def _health(status: SiteStatus) -> dict[str, Any] | None:
    """Nobody can say how a site is that is not there."""
    if status.state is not SiteState.ONLINE:
        return None
    return {"state": status.health.state.value, "reasons": list(status.health.reasons)}


def camera_status_payload(status: CameraStatus) -> bytes:
    """Whether a camera delivers frames, and why not."""
    return _json(
        {
            "schema_version": SCHEMA_VERSION,
            "site": status.site_id,
            "camera": status.camera_id,
            "state": status.state.value,
            "since": _rfc3339(status.since),
            "run_id": status.run_id,
            "reason": status.reason,
            "detail": status.detail,
            "fps": None if status.fps is None else round(status.fps, 2),
        }
    )


def object_id(run_id: str, camera_id: str, track_id: int) -> str:
    """One id for one followed object, in all its events: unique everywhere, as the numbering run's id is."""
    return f"{run_id}-{camera_id}-{track_id}"


def _tracks(run_id: str, tracked: TrackedFrame, taken_over: Mapping[tuple[str, int], str]) -> list[dict[str, Any]]:
    tracks, frame = tracked.tracks, tracked.frame.info
    frame_size = (frame.width_px, frame.height_px)
    columns = zip(
        tracks.track_ids.tolist(),
        tracks.class_ids.tolist(),
        tracks.scores.tolist(),
        tracks.boxes.tolist(),
        strict=True,
    )
    messages = []
    for track_id, class_id, score, (x1, y1, x2, y2) in columns:
        box = clip((x1, y1, x2, y2), frame_size)
        numbered_by = taken_over.get((frame.camera_id, track_id), run_id)
        messages.append(
            {
                "id": object_id(numbered_by, frame.camera_id, track_id),
                "track_id": track_id,
                "label": tracked.labels[class_id],
                "score": _score(score),
                "box": _pixels(box),
                "box_fraction": _fractions(fraction(box, frame_size)),
            }
        )
    return messages


def _json(message: dict[str, Any]) -> bytes:
    # allow_nan=False: a number that JSON does not have must fail here, not at a consumer.
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _score(score: float) -> float:
    return round(float(score), 4)


def _pixels(box: Box) -> list[float]:
    return [round(side, 1) for side in box]


def _fractions(box: Box) -> list[float]:
    return [round(side, 5) for side in box]


def _unix_s(moment: datetime) -> float:
    return _whole_milliseconds(moment).timestamp()


def _rfc3339(moment: datetime) -> str:
    return _whole_milliseconds(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole_milliseconds(moment: datetime) -> datetime:
    """Cut down, not rounded: both spellings of a time then say the same."""
    return moment.astimezone(timezone.utc).replace(microsecond=moment.microsecond // 1000 * 1000)
