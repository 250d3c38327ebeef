"""How long fuzzing goes on: in the test suite the same few inputs each time, with scripts/fuzz others and more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Set by scripts/fuzz: how many times as many inputs, drawn anew.
FACTOR = "SITEWATCH_FUZZ_FACTOR"


def effort(examples: int) -> settings:
    """Settings of one fuzz test; `examples` are what the test suite has time for."""
    factor = int(os.environ.get(FACTOR, "0"))
    return settings(
        max_examples=examples * max(1, factor),
        derandomize=factor == 0,
        database=None,
        deadline=None,  # machines differ; what hangs is ended by the watch in conftest
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
