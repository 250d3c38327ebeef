"""Drives one test of this folder with atheris, which looks for inputs that reach new code: `scripts/fuzz --guided`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]


def main() -> None:
    """Find the test by its name and feed it for ever; arguments after the name are libFuzzer's."""
    import atheris  # noqa: PLC0415 - only here, and only where it was installed

    with atheris.instrument_imports(include=["agent", "devices", "trackers"]):
        feed = _test(sys.argv.pop(1)).hypothesis.fuzz_one_input
    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()


def _test(name: str) -> Any:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        test = getattr(importlib.import_module(f"fuzz.{path.stem}"), name, None)
        if test is not None and not test.__code__.co_argcount:
            return test
    sys.exit(f"no test {name} here that works without fixtures")


if __name__ == "__main__":
    main()
