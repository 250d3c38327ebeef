"""The text of every class: from the site file, from the model's metadata, or COCO's."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.detect.coco import COCO_LABELS
from agent.errors import ModelError

LONGEST_LABEL = 200
LARGEST_FILE_BYTES = 1_000_000


@dataclass(frozen=True)
class Labels:
    """The text of every class id, in order, and where it was found."""

    texts: tuple[str, ...]
    origin: str


def choose_labels(
    written: Path | tuple[str, ...] | None, names: tuple[str, ...] | None, class_count: int | None
) -> Labels:
    """The labels of a model.

    Args:
        written: what the site file says: a file with a label a line, a list, or nothing.
        names: what the model's metadata says, or None.
        class_count: classes the model's output has, or None where it does not show them.

    Raises:
        ModelError: the file cannot be used, or there are not as many labels as classes.
    """
    labels = _found(written, names, class_count)
    if class_count is not None and len(labels.texts) != class_count:
        raise ModelError(
            f"{labels.origin}: found {len(labels.texts)} labels, but the model has {class_count} classes; "
            "write one label for each class, in order, in model.labels"
        )
    return labels


def names_in(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The labels an exporter noted under `names`, as a Python or JSON literal: a list, or a table from 0; or None."""
    names = _literal(metadata.get("names", ""))
    if isinstance(names, dict):
        by_id = {str(class_id): name for class_id, name in names.items()}
        names = [by_id.get(str(class_id)) for class_id in range(len(by_id))]
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels of a text file, one a line; blank lines at the end do not count.

    Raises:
        ModelError: the file is missing, unreadable, no text, empty, or has a blank line between labels.
    """
    lines = [line.strip() for line in _text(path).rstrip().splitlines()]
    if not lines:
        raise ModelError(f"{path}: the labels file is empty; it needs one label a line")
    for number, line in enumerate(lines, start=1):
        if not line or len(line) > LONGEST_LABEL or not line.isprintable():
            found = "is blank" if not line else f"is no label of at most {LONGEST_LABEL} printable characters"
            raise ModelError(f"{path}, line {number}: {found}; the labels file needs one label a line")
    return tuple(lines)


def _found(written: Path | tuple[str, ...] | None, names: tuple[str, ...] | None, class_count: int | None) -> Labels:
    if isinstance(written, tuple):
        return Labels(written, "model.labels")
    if written is not None:
        return Labels(read_labels(written), f"labels file {written}")
    if names is not None:
        return Labels(names, "the model's metadata")
    if class_count in {None, len(COCO_LABELS)}:
        return Labels(COCO_LABELS, "COCO's 80 classes, assumed")
    return Labels(tuple(f"class {class_id}" for class_id in range(class_count or 0)), "numbers, as nothing names them")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path}: the labels file cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise ModelError(
            f"{path}: the labels file is larger than {LARGEST_FILE_BYTES} bytes; it needs one label a line"
        )
    try:
        if b"\0" in content:
            raise ModelError(f"{path}: the labels file is binary, not text; it needs one label a line, in UTF-8")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: the labels file is no UTF-8 text; it needs one label a line") from error


def _literal(written: str) -> Any:  # noqa: ANN401 - a literal is whatever its text says
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
