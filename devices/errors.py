"""What can go wrong in `devices`, as one small tree.

DevicesError
├── ModelFileError      the file is missing, unreadable, or no model this run-time can read
├── EngineUnavailable   the run-time or accelerator cannot be used on this machine, with the reason
├── EngineLoadError     the run-time refused the model
└── InferenceError      one inference failed; the next may work
"""

from __future__ import annotations


class DevicesError(Exception):
    """Everything `devices` raises on purpose; the message is a sentence for a person."""


class ModelFileError(DevicesError):
    """The file is missing, unreadable, or no model."""


class EngineUnavailable(DevicesError):  # noqa: N818 - it says what is so, like the other side of Availability
    """The run-time or accelerator cannot be used on this machine."""


class EngineLoadError(DevicesError):
    """The run-time refused the model."""


class InferenceError(DevicesError):
    """One inference failed; the next may work."""
