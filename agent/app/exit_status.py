"""Which exit status tells a service manager what kind of failure ended the process."""

from __future__ import annotations

from agent.errors import (
    EvaluatorError,
    ModelError,
    OutboxError,
    OutputError,
    PortInUseError,
    SequenceError,
    SettingsError,
    SinkError,
    SitewatchError,
    SourceError,
    ToolError,
    ToolUnavailableError,
)
from agent.service.exit_codes import ExitCode
from devices.errors import DevicesError

EXIT_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (SettingsError, ExitCode.CONFIG),
    (ModelError, ExitCode.CONFIG),
    (OutboxError, ExitCode.CANTCREAT),
    (OutputError, ExitCode.CANTCREAT),
    (SinkError, ExitCode.CANTCREAT),
    (SourceError, ExitCode.NOINPUT),
    (PortInUseError, ExitCode.TEMPFAIL),
    (SequenceError, ExitCode.DATAERR),
    (EvaluatorError, ExitCode.UNAVAILABLE),
    (ToolUnavailableError, ExitCode.UNAVAILABLE),
    (ToolError, ExitCode.DATAERR),
    (DevicesError, ExitCode.UNAVAILABLE),
    (SitewatchError, ExitCode.SOFTWARE),
)


def exit_code(error: Exception) -> int:
    """The status for an error that was raised on purpose."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), ExitCode.SOFTWARE)
