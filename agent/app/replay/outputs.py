"""The files a replay writes, fed frame by frame."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from agent.app.replay.annotated_video import AnnotatedVideo
from agent.app.replay.mot_file import MotFile
from agent.app.works.told import Told
from agent.publish.jsonl_sink import JsonlSink
from agent.publish.payload import event_payload
from agent.publish.stored import StoredEvent


class Outputs:
    """Everything that was asked for; a context manager, used by one thread while frames come.

    Attributes:
        frames, events: how many came.
    """

    def __init__(self, options: argparse.Namespace, events: JsonlSink | None) -> None:
        """Nothing is opened yet.

        Args:
            options: `mot` and `video`, paths or None.
            events: where events go, or None; closed by us.
        """
        self.frames = 0
        self.events = 0
        self._mot_path: Path | None = options.mot
        self._video_path: Path | None = options.video
        self._sink = events
        self._open = ExitStack()
        self._mot: MotFile | None = None
        self._video: AnnotatedVideo | None = None

    def __enter__(self) -> Outputs:
        with ExitStack() as opening:
            if self._sink is not None:
                self._sink.start()
                opening.callback(self._sink.close)
            self._mot = opening.enter_context(MotFile(self._mot_path)) if self._mot_path else None
            self._video = opening.enter_context(AnnotatedVideo(self._video_path)) if self._video_path else None
            self._open = opening.pop_all()
        return self

    def tell(self, told: Told) -> None:
        """Write one frame and its events."""
        if told.tracked is not None:
            self.frames += 1
            if self._mot is not None:
                self._mot.write(told.tracked)
            if self._video is not None:
                self._video.write(told.tracked)
        for event in told.events:
            self.events += 1
            if self._sink is not None:
                payload = event_payload(event, self.events)
                self._sink.send([StoredEvent(self.events, event.event_id, event.camera_id, payload)])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
