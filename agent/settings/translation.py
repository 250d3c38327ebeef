"""Pydantic's errors in our sentences."""

from __future__ import annotations

import difflib
import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.settings.keys import help_of, keys_at, secret_keys
from agent.settings.mistake import KeyPath, shown
from agent.settings.types import RefusedError
from agent.settings.yaml_reader import Document

KINDS = {
    "model_type": "a mapping with keys of its own",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "too_short": "at least one",
    "too_long": "fewer",
}


def note_mistakes(error: ValidationError, document: Document) -> None:
    """Note every mistake pydantic found at a key where none was noted yet."""
    details = error.errors(include_url=False)
    for detail in (detail for detail in details if detail["type"] == "extra_forbidden"):
        _note_unknown_key(_key_path(detail), document)
    unusable = set(document.unusable)
    for detail in details:
        key_path = _key_path(detail)
        if key_path not in unusable:
            document.add(key_path, *_told(detail, key_path, document))


def _key_path(detail: ErrorDetails) -> KeyPath:
    """Where it is, without pydantic's names for members of unions and for keys as such."""
    return tuple(
        step for step in detail["loc"] if not (isinstance(step, str) and re.fullmatch(r"<[a-z]+>|\[key\]", step))
    )


def _note_unknown_key(key_path: KeyPath, document: Document) -> None:
    """The key that was meant counts as written too, or its absence would be a second mistake."""
    known = keys_at(key_path[:-1])
    close = difflib.get_close_matches(str(key_path[-1]).lower(), known, n=1)
    document.add(key_path, "unknown key", ", ".join(known), f"did you mean {close[0]}?" if close else "")
    document.unusable += [(*key_path[:-1], meant) for meant in close]


def _told(detail: ErrorDetails, key_path: KeyPath, document: Document) -> tuple[str, str, str]:
    """What was found, what is allowed, what to do."""
    if detail["type"] == "missing":
        return "is missing", help_of(key_path), ""
    return _found(detail, key_path, document), *_allowed(detail, key_path, document)


def _found(detail: ErrorDetails, key_path: KeyPath, document: Document) -> str:
    if detail["loc"][-1] == "[key]":
        return shown(str(key_path[-1]))
    return shown(value_at(document.value, key_path), secret=key_path[-1] in secret_keys())


def _allowed(detail: ErrorDetails, key_path: KeyPath, document: Document) -> tuple[str, str]:
    context = detail.get("ctx", {})
    refused = context.get("error")
    if isinstance(refused, RefusedError):
        return refused.allowed, refused.hint
    if "expected" in context:
        return _choice(str(context["expected"]), value_at(document.value, key_path))
    return KINDS.get(detail["type"], detail["msg"]), ""


def _choice(expected: str, written: object) -> tuple[str, str]:
    words = re.findall(r"'([^']*)'", expected)
    close = difflib.get_close_matches(str(written).lower(), words, n=1)
    return ", ".join(words), f"did you mean {close[0]}?" if close else ""


def value_at(value: object, key_path: KeyPath) -> object:
    """What was written at a key path, or None."""
    for key in key_path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value
