"""What tests/conftest.py promises of every test: in CI nothing is skipped, and no thread is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from architecture.sources import REPOSITORY

SKIPPING = "import pytest\n\n\ndef test_one():\n    pytest.skip('no such tool')\n"
WANTS_ASSETS = "import pytest\n\n\n@pytest.mark.assets\ndef test_one(assets):\n    pass\n"
LEAVES_A_THREAD = "import threading, time\n\n\ndef test_one():\n    threading.Thread(target=time.sleep, args=(9,), "
LEAVES_A_THREAD += "name='forgotten', daemon=True).start()\n"


def run(folder: Path, code: str, **environment: str) -> tuple[int, str]:
    """Exit status and words of a run of one test file under our conftest."""
    (folder / "test_case.py").write_text(code, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    assets: as ours\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "conftest", str(folder)]
    surroundings = {**os.environ, "CI": "", "PYTHONPATH": str(REPOSITORY / "tests"), **environment}
    done = subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_skip_fails_in_ci_only(tmp_path: Path, ci: str, status: int) -> None:
    """On a developer's machine a skip is a skip; in CI it fails the run, by name."""
    found, said = run(tmp_path, SKIPPING, CI=ci)

    assert found == status
    assert "no such tool" in said


def test_absent_assets_are_excused(tmp_path: Path) -> None:
    """Even in CI, what needs the assets is skipped where there is no such folder, and never where there is."""
    absent = run(tmp_path, WANTS_ASSETS, CI="true", SITEWATCH_ASSETS=str(tmp_path / "nowhere"))
    present = run(tmp_path, WANTS_ASSETS, CI="true", SITEWATCH_ASSETS=str(tmp_path))

    assert absent[0] == 0
    assert "1 skipped" in absent[1]
    assert "1 passed" in present[1]


def test_a_thread_left_behind_fails_the_test(tmp_path: Path) -> None:
    """A thread that a test started and forgot is named."""
    status, said = run(tmp_path, LEAVES_A_THREAD)

    assert status == 1
    assert "threads left running: forgotten" in said
