"""Keeps what TensorRT says, so that a call that only answers None or False can be explained."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

TrtObject: TypeAlias = Any
"""TensorRT's own object; its type exists only where TensorRT is installed."""

_KEPT = 6
_LONGEST = 300


class LogLines:
    """The last errors and warnings, from any thread."""

    def __init__(self, told: Callable[[str, str], None] | None = None) -> None:
        self._errors: deque[str] = deque(maxlen=_KEPT)
        self._warnings: deque[str] = deque(maxlen=_KEPT)
        self._told = told

    def add(self, severity: str, text: str) -> None:
        """One line; severity is TensorRT's word for it: INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE."""
        line = " ".join(text.split())[:_LONGEST]
        if "ERROR" in severity:
            self._errors.append(line)
        elif severity == "WARNING":
            self._warnings.append(line)
        else:
            return
        if self._told is not None:
            self._told(severity, line)

    def why(self) -> str:
        """The errors, else the warnings, else that there were none; what was told is forgotten."""
        lines = tuple(self._errors) or tuple(self._warnings)
        self._errors.clear()
        self._warnings.clear()
        return "; ".join(lines) or "TensorRT gave no reason"


def make_logger(trt: ModuleType, lines: LogLines) -> TrtObject:
    """TensorRT's logger that writes into `lines`; it must outlive builder, parser, runtime and engine."""

    class Logger(trt.ILogger):  # type: ignore[misc,name-defined]  # its parent is known at run time only
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # pybind11 does not accept super() here

        def log(self, severity: TrtObject, message: str) -> None:
            lines.add(severity.name, message)

    return Logger()
