"""The files a replay writes, fed frame by frame."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from agent.app.replay.annotated_video import AnnotatedVideo
from agent.app.replay.events_file import EventsFile
from agent.app.replay.mot_file import MotFile
from agent.app.works.told import Told
from agent.errors import OutputError


class Outputs:
    """Everything that was asked for; a context manager, used by one thread while frames come.

    Left with an error, or after `discard`, it leaves no file; what stood under those names before then still does.

    Attributes:
        frames, events: how many came.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        """Nothing is opened yet.

        Args:
            options: `clip`; `events`, `mot` and `video`, each a destination or None.
        """
        self.frames = 0
        self.events = 0
        self._options = options
        self._open = ExitStack()
        self._events: EventsFile | None = None
        self._mot: MotFile | None = None
        self._video: AnnotatedVideo | None = None

    def __enter__(self) -> Outputs:
        options = self._options
        _refuse_the_clip(options)
        with ExitStack() as opening:
            self._events = opening.enter_context(EventsFile(options.events)) if options.events else None
            self._mot = opening.enter_context(MotFile(options.mot)) if options.mot else None
            self._video = opening.enter_context(AnnotatedVideo(options.video)) if options.video else None
            self._open = opening.pop_all()
        return self

    def tell(self, told: Told) -> None:
        """Write one frame and its events.

        Raises:
            OutputError: a file cannot be written.
        """
        if told.tracked is not None:
            self.frames += 1
            if self._mot is not None:
                self._mot.write(told.tracked)
            if self._video is not None:
                self._video.write(told.tracked)
        for event in told.events:
            self.events += 1
            if self._events is not None:
                self._events.write(event)

    def discard(self) -> None:
        """The work failed: nothing of it is kept."""
        failure = OutputError("discarded")
        self._open.__exit__(type(failure), failure, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


def _refuse_the_clip(options: argparse.Namespace) -> None:
    for path in (options.events, options.mot, options.video):
        if path and Path(path).exists() and Path(path).samefile(options.clip):
            raise OutputError(f"{path} is the clip itself; name another file")
