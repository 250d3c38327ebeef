"""Where each message goes; the only place that builds topic names."""

from __future__ import annotations


class Topics:
    """The topics of one site: `<base>/<site>/status` and `<base>/<site>/<camera>/{status,events,detections}`.

    Site and camera ids are checked with the site file: they hold no slash and no wildcard.
    """

    def __init__(self, base_topic: str, site_id: str) -> None:
        self._site = f"{base_topic}/{site_id}"

    def site_status(self) -> str:
        """Retained: whether the agent is there."""
        return f"{self._site}/status"

    def camera_status(self, camera_id: str) -> str:
        """Retained: whether a camera delivers frames."""
        return f"{self._site}/{camera_id}/status"

    def events(self, camera_id: str) -> str:
        """Every event of a camera, once."""
        return f"{self._site}/{camera_id}/events"

    def detections(self, camera_id: str) -> str:
        """The tracks of every processed frame of a camera."""
        return f"{self._site}/{camera_id}/detections"
