"""Where log lines go and how they look; every logger of the process is routed through here."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TextIO

from agent.telemetry.lines import JsonLines, TextLines
from agent.telemetry.masking import Mask

if TYPE_CHECKING:
    _TextHandler = logging.StreamHandler[TextIO]
else:
    _TextHandler = logging.StreamHandler  # Python 3.10 cannot subscript it

LogFormat = Literal["auto", "json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]

# Libraries speak when something is wrong, not about their day. What they have to say at a closer look: level debug.
QUIET_LIBRARIES = (
    "uvicorn", "uvicorn.error", "uvicorn.access", "fastapi", "asyncio", "paho", "amqtt", "transitions", "libav",
    "openvino", "onnxruntime", "httpx", "httpcore",
)  # fmt: skip
# paho writes an error at every attempt to connect; we tell of it ourselves, once.
SILENT_LIBRARY = "paho"


class Log:
    """The process's log, from `open` to `close`; made without effects, used by the main thread.

    While open, the root logger writes to `stream` only, uncaught exceptions of every thread become log lines, Python's
    warnings too, and all of it is masked. `close` puts back what was there, and may be called twice.
    """

    def __init__(
        self,
        log_format: LogFormat,
        level: LogLevel,
        stream: TextIO,
        mask: Mask,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """A log not yet open.

        Args:
            log_format: `auto` is text for a terminal and the journal, else JSON.
            level: the least that is written.
            stream: where to; not closed here.
            mask: what hides credentials; secrets may be added later.
            environ: where the service manager's `JOURNAL_STREAM` is looked up; None: the process's.
        """
        self._format = log_format
        self._level = logging.getLevelName(level.upper())
        self._stream = stream
        self._mask = mask
        self._environ = os.environ if environ is None else environ
        self._before: _Before | None = None

    def open(self) -> Log:
        """Take over; returns itself."""
        self._before = _Before()
        handler = _QuietHandler(self._stream)
        handler.setFormatter(self._formatter())
        root = logging.getLogger()
        root.handlers[:] = [handler]
        for name in QUIET_LIBRARIES:
            logging.getLogger(name).handlers[:] = []
            logging.getLogger(name).propagate = True
        self._set_levels()
        logging.captureWarnings(capture=True)
        sys.excepthook = _tell_uncaught
        threading.excepthook = _tell_uncaught_in_thread
        return self

    def retune(self, log_format: LogFormat, level: LogLevel) -> None:
        """Write in another way, or more or less of it, from the next line on; an open log, any thread."""
        self._format, self._level = log_format, logging.getLevelName(level.upper())
        for handler in logging.getLogger().handlers:
            handler.setFormatter(self._formatter())
        self._set_levels()

    def close(self) -> None:
        """Put back what was there."""
        if self._before is not None:
            self._before.restore()
            self._before = None

    def __enter__(self) -> Log:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set_levels(self) -> None:
        logging.getLogger().setLevel(self._level)
        for name in QUIET_LIBRARIES:
            quiet = logging.CRITICAL if name == SILENT_LIBRARY else logging.WARNING
            logging.getLogger(name).setLevel(logging.NOTSET if self._level <= logging.DEBUG else quiet)

    def _formatter(self) -> logging.Formatter:
        for_journal = _is_journal(self._stream, self._environ.get("JOURNAL_STREAM"))
        if self._format == "text" or (self._format == "auto" and (for_journal or _is_terminal(self._stream))):
            return TextLines(self._mask, for_journal=for_journal)
        return JsonLines(self._mask)


class _QuietHandler(_TextHandler):
    """A stream that may vanish or lack a letter without costing more than the line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with letters that the stream cannot write as escapes."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        return super().format(record).encode(encoding, "backslashreplace").decode(encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """A closed pipe must not become a traceback, which would be written unmasked."""


class _Before:
    """What `Log` found, to be put back."""

    def __init__(self) -> None:
        loggers = [logging.getLogger(), *map(logging.getLogger, QUIET_LIBRARIES)]
        self._loggers = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
        self._hooks = (sys.excepthook, threading.excepthook)

    def restore(self) -> None:
        for logger, handlers, level, propagate in self._loggers:
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagate
        logging.captureWarnings(capture=False)
        sys.excepthook, threading.excepthook = self._hooks


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (ValueError, OSError):
        return False


def _is_journal(stream: TextIO, journal_stream: str | None) -> bool:
    """Whether `stream` is the one the service manager connected to its journal, `device:inode` (systemd.exec(5))."""
    if not journal_stream:
        return False
    try:
        found = os.fstat(stream.fileno())
    except (ValueError, OSError):
        return False
    return journal_stream == f"{found.st_dev}:{found.st_ino}"


def _tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("sitewatch").critical("uncaught %s", kind.__name__, exc_info=(kind, error, trace))


def _tell_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None:
        return
    name = args.thread.name if args.thread is not None else "a thread"
    trace = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger("sitewatch").critical("%s: uncaught %s", name, args.exc_type.__name__, exc_info=trace)
