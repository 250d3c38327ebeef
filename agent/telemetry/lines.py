"""How one log record reads: a JSON object for machines, or a sentence for people."""

from __future__ import annotations

import json
import logging
import math
import numbers
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from agent.telemetry.masking import Mask

# The journal reads a line's priority from its first characters (sd-daemon(3)); names are those of syslog.
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
_MAX_DEPTH = 6


class JsonLines(logging.Formatter):
    """One JSON object a line: `ts` (RFC 3339, UTC), `level`, `logger`, `message`; `fields` and `error` where there are.

    Every text in it is masked before it is encoded.
    """

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line without its end."""
        line: dict[str, object] = {
            "ts": _timestamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._mask(_message(record)),
        }
        if fields := _fields(record):
            line["fields"] = self._plain(fields)
        if trace := _trace(record):
            line["error"] = self._mask(trace)
        return json.dumps(line, allow_nan=False)

    def _plain(self, value: object, depth: int = 0) -> object:
        """`value` as what JSON knows: text masked, what is unknown as its masked text."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, numbers.Real):
            return float(value) if math.isfinite(value) else None
        if isinstance(value, Mapping) and depth < _MAX_DEPTH:
            return {self._mask(str(key)): self._plain(entry, depth + 1) for key, entry in value.items()}
        if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes) and depth < _MAX_DEPTH:
            return [self._plain(entry, depth + 1) for entry in value]
        return self._mask(str(value))


class TextLines(logging.Formatter):
    """`12:00:00 warning  gate: ...` for a terminal; the same without time but with a priority for the journal."""

    def __init__(self, mask: Mask, *, for_journal: bool) -> None:
        super().__init__()
        self._mask = mask
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, and indented below it the traceback where there is one."""
        sentence = _on_one_line(_message(record))
        lines = [sentence, *(f"    {line}" for line in _trace(record).splitlines())]
        head = self._head(record)
        return "\n".join(head + self._mask(_on_one_line(line)) for line in lines)

    def _head(self, record: logging.LogRecord) -> str:
        if self._for_journal:
            return f"<{next(number for level, number in _PRIORITIES if record.levelno >= level)}>"
        moment = datetime.fromtimestamp(record.created, tz=timezone.utc).astimezone()
        return f"{moment:%H:%M:%S} {record.levelname.lower():<8} "


def _timestamp(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A library's log call with the wrong arguments must not cost the line.
        return f"{record.msg} {record.args}"


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    fields = getattr(record, "fields", None)
    return fields if isinstance(fields, Mapping) else {}


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return "".join(traceback.format_exception(record.exc_info[1])).rstrip()


def _on_one_line(text: str) -> str:
    """Control characters escaped, so that what a camera sends cannot forge a line or colour a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
