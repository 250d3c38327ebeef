"""What can go wrong in the agent, as one small tree.

SitewatchError
├── SettingsError       the site file, or something it names, cannot be used: every mistake in one report
├── SourceError         a camera or clip does not deliver, with a typed reason
├── ModelError          a model cannot be read, fits no family, or does not answer as its family does
├── DetectionError      one inference failed; the next may work
├── EngineHungError     an inference never came back; only a new process helps
├── OutboxError         the event store cannot be opened or written
├── SinkError           events cannot be handed over
├── PortInUseError      a local address we were told to serve on is taken
├── SequenceError       a recorded sequence cannot be evaluated: file, line, what was found, what is allowed
├── EvaluatorError      what evaluates trackers, or a tracker to compare with, is not installed or fails
├── ToolError           a model tool cannot do what was asked
│   ├── ToolInputError        what it was given cannot be used: a file, a folder, options that do not fit together
│   ├── RefusedResultError    what came out is not good enough: differs, or loses too much; nothing was written
│   └── ToolUnavailableError  a package or program it needs is not installed
├── InstallError        a release cannot be put on this box
│   └── RolledBackError  it was put there and did not become ready; the one before is in use again
└── OutputError         a result file cannot be written
"""

from __future__ import annotations

from enum import Enum


class SitewatchError(Exception):
    """Everything the agent raises on purpose; the message is a sentence for a person."""


class SettingsError(SitewatchError):
    """The site file, or something it names, cannot be used; the message is the whole report."""


class SourceFailure(str, Enum):
    """Why a source gave no frame. Bounded: these are metric labels and status reasons."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    STALLED = "stalled"
    CODEC = "codec"
    NO_VIDEO = "no_video"
    TLS = "tls"
    ENDED = "ended"
    UNSUPPORTED = "unsupported"
    OTHER = "other"


class SourceError(SitewatchError):
    """A source could not be opened or stopped delivering."""

    def __init__(self, camera_id: str, failure: SourceFailure, detail: str) -> None:
        super().__init__(f"{camera_id}: {detail}")
        self.camera_id = camera_id
        self.failure = failure
        self.detail = detail


class ModelError(SitewatchError):
    """A model cannot be used at all; refused at load, never answered with an empty result."""


class DetectionError(SitewatchError):
    """One inference failed."""


class EngineHungError(SitewatchError):
    """An inference never came back; its thread is lost, and only a new process helps."""


class OutboxError(SitewatchError):
    """The event store cannot be opened or written."""


class SinkError(SitewatchError):
    """Events cannot be handed over."""


class PortInUseError(SitewatchError):
    """A local address to serve on is taken."""


class SequenceError(SitewatchError):
    """A recorded sequence, or a tracker's output for it, cannot be evaluated."""


class EvaluatorError(SitewatchError):
    """What evaluates trackers, or a tracker to compare with, is not installed or fails."""


class OutputError(SitewatchError):
    """A result file cannot be written."""


class InstallError(SitewatchError):
    """A release cannot be put on this box; the one in use is as it was."""


class RolledBackError(InstallError):
    """A release did not become ready, and the one before is in use again."""


class ToolError(SitewatchError):
    """A model tool cannot do what was asked."""


class ToolInputError(ToolError):
    """What a tool was given cannot be used."""


class RefusedResultError(ToolError):
    """What came out is not good enough; nothing was written."""


class ToolUnavailableError(ToolError):
    """A package or program that a tool needs is not installed; the message says how to get it."""
