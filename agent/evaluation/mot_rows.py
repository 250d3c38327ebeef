"""MOTChallenge text as rows of numbers; every mistake is told with its file and line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import SequenceError

Rows = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class MotRows:
    """What stands in one file.

    Attributes:
        path: the file.
        values: (N, C) float64, all finite.
        lines: (N,) int; the line of each row, from 1.
    """

    path: Path
    values: Rows
    lines: npt.NDArray[Any]

    def demand(self, good: Mask, what: str, column: int, allowed: str) -> None:
        """Hold every row to a rule.

        Raises:
            SequenceError: a row breaks it; names the first one.
        """
        if not good.all():
            row = int(np.argmin(good))
            found = f"{self.values[row, column]:.15g}"
            raise SequenceError(f"{self.path}:{self.lines[row]}: {what} is {found}; allowed is {allowed}")


def read_mot_rows(path: Path, least: int, most: int, columns: str) -> MotRows:
    """Read a file of numbers, separated by commas or blanks; empty lines are passed over.

    Args:
        path: the file.
        least: columns that must be there.
        most: columns that are kept; what follows is read and dropped.
        columns: their names, for a person.

    Raises:
        SequenceError: the file cannot be read, or a line is not as the others or not of numbers.
    """
    rows: list[list[float]] = []
    lines: list[int] = []
    for line, text in _lines(path):
        row = _numbers(path, line, text)
        if len(row) < least:
            raise SequenceError(f"{path}:{line}: {len(row)} columns; allowed is {least} or more: {columns}")
        if rows and len(row[:most]) != len(rows[0]):
            raise SequenceError(f"{path}:{line}: {len(row)} columns; allowed is as many as in line {lines[0]}")
        rows.append(row[:most])
        lines.append(line)
    return MotRows(path, np.array(rows, np.float64).reshape(len(rows), -1 if rows else least), np.array(lines, int))


def read_text(path: Path) -> str:
    """The whole file.

    Raises:
        SequenceError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SequenceError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SequenceError(f"{path} is not text: byte {error.start} is not UTF-8") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for line, text in enumerate(read_text(path).split("\n"), start=1):
        if text.strip():
            yield line, text


def _numbers(path: Path, line: int, text: str) -> list[float]:
    row: list[float] = []
    for field in text.split(",") if "," in text else text.split():
        try:
            number = float(field)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise SequenceError(f"{path}:{line}: column {len(row) + 1} is {_shown(field)}; allowed is a finite number")
        row.append(number)
    return row


def _shown(field: str) -> str:
    return repr(field.strip()[:40]) if field.strip() else "empty"
