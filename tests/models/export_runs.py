"""What came of `sitewatch model export`, for tests that run where PyTorch is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Outcome:
    """What came of one run: exit status, what it wrote to standard output and error, and the file, if there."""

    status: int
    out: str
    err: str
    path: Path

    @property
    def facts(self) -> dict[str, Any]:
        """The report; nothing else may be on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def graph(self) -> onnx.GraphProto:
        return onnx.load(str(self.path)).graph


Export = Callable[..., Outcome]


def assert_refused(outcome: Outcome, words: str, status: int = 65, *, is_kept: bool = False) -> None:
    """One line, the words in it, nothing written and nothing left behind but, if kept, what was there before."""
    assert outcome.status == status, outcome.err
    assert words in outcome.err
    assert outcome.err.startswith("sitewatch: ")
    assert outcome.err.count("\n") == 1
    assert list(outcome.path.parent.iterdir()) == ([outcome.path] if is_kept else [])
