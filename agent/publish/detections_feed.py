"""The message with every track of a frame, as often as the site file asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from agent.publish.payload import detections_payload
from agent.track.tracked import TrackedFrame

Rate = Literal["every_frame", "off"] | float
# A frame this much before its time is the one that was meant: cameras are not that even.
EARLY_SHARE = 0.1


class DetectionsFeed:
    """Used by one thread, which gives it the frames of all cameras, those of each in order."""

    def __init__(
        self,
        publish: Callable[[str, bytes], object],
        site_id: str,
        run_id: str,
        rate: Rate,
        taken_over: Mapping[tuple[str, int], str] | None = None,
    ) -> None:
        """Make one.

        Args:
            publish: takes a camera id and a payload, for instance `MqttSink.publish_detections`.
            site_id: goes into the payload.
            run_id: goes into the payload.
            rate: messages a second and camera at most, in stream time.
            taken_over: of camera and track, the earlier run that numbered it; may fill until the first frame comes.
        """
        self._publish = publish
        self._site_id = site_id
        self._run_id = run_id
        self._rate = rate
        self._taken_over = taken_over
        self._due_s: dict[str, float] = {}

    def limit(self, rate: Rate) -> None:
        """Publish so often from the next frame on; any thread."""
        self._rate = rate

    def tell(self, tracked: TrackedFrame) -> None:
        """Publish this frame's tracks if it is due."""
        frame = tracked.frame.info
        if self._is_due(frame.camera_id, frame.captured_monotonic_s):
            payload = detections_payload(self._site_id, self._run_id, tracked, self._taken_over)
            self._publish(frame.camera_id, payload)

    def _is_due(self, camera_id: str, at_s: float) -> bool:
        rate = self._rate
        if isinstance(rate, str):
            return rate == "every_frame"
        period_s = 1.0 / rate
        due_s = self._due_s.get(camera_id, at_s)
        earliest_s = due_s - EARLY_SHARE * period_s
        if due_s - 2 * period_s <= at_s < earliest_s:
            return False
        # One period after the last due time keeps the rate; after a gap, or a step back, it begins anew.
        is_steady = earliest_s <= at_s < due_s + period_s
        self._due_s[camera_id] = (due_s if is_steady else at_s) + period_s
        return True
