"""Test files that run under another Python, in an environment of its own: `inside_*.py` beside the test that asks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from servers.environments import REPOSITORY, locked_environment

DEADLINE_S = 300


def run_inside(environment: str, *files: Path, scratch: Path, more: Mapping[str, str] | None = None) -> None:
    """Every test of the files passes there, and none is skipped.

    Args:
        environment: the name of a lock.
        files: beside each other.
        scratch: a folder of their own.
        more: of the surroundings.
    """
    folder = files[0].parent
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--import-mode=importlib", f"--rootdir={folder}"]
    command = [str(locked_environment(environment)), "-m", "pytest", *options, f"--basetemp={scratch / 'inside'}"]
    # One thread: the arrays are small, and threads of several tests at once are in each other's way.
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests"))),
                    "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", **(more or {})}  # fmt: skip
    done = subprocess.run(
        [*command, *map(str, files)], env=surroundings, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
