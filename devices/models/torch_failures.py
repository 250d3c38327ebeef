"""What PyTorch's long errors come down to, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

LONGEST = 240
# The name of an operator in what the exporters say of one that ONNX has no form for.
_OPERATORS = (
    re.compile(r"No ONNX function found for <OpOverload\(op='([\w.]+)'"),
    re.compile(r"Exporting the operator '([\w:.]+)' to ONNX opset version \d+ is not supported"),
    re.compile(r"operator with unrecognized namespace ([\w:]+)"),
    re.compile(r"Unknown builtin op: ([\w:]+)"),
)
_LATER_OPSET = re.compile(r"Support for this operator was added in version (\d+)")
_DATA_DEPENDENT = ("GuardOnDataDependentSymNode", "UserError", "UnsupportedError")
_PLACE = re.compile(r'File "([^"]+)", line (\d+), in forward')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def reason(error: BaseException) -> str:
    """One line that tells a person what to change: the operator, the place, or what was said last."""
    chain = list(_chain(error))
    texts = [_COLOUR.sub("", str(each)) for each in chain]
    for text in texts:
        if operator := _operator(text):
            return operator
    for each, text in zip(chain, texts, strict=True):
        if type(each).__name__ in _DATA_DEPENDENT and "data-dependent" in text.lower():
            return f"which way it takes depends on what a tensor holds (an if, a loop or a size){_place(text)}"
    return _short(chain[-1], texts[-1])


def _operator(text: str) -> str:
    for pattern in _OPERATORS:
        if found := pattern.search(text):
            name = found[1].replace(".", "::", 1)
            later = _LATER_OPSET.search(text)
            return f"operator {name} has no form in ONNX" + (f" before opset {later[1]}" if later else "")
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, the root last."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _place(text: str) -> str:
    found = _PLACE.findall(text)
    return f", at {PurePath(found[-1][0]).name} line {found[-1][1]}" if found else ""


def _short(error: BaseException, text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    told = line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
    kind = type(error).__name__
    return f"{kind}: {told}" if told else kind
