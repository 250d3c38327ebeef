"""Environments of their own for what must not be installed where the agent is: made once, of a lock, under build/."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 600.0


def locked_environment(name: str) -> Path:
    """The Python of an environment that holds what requirements/NAME.lock pins, with its hashes, and nothing else."""
    lock = REPOSITORY / "requirements" / f"{name}.lock"
    folder = REPOSITORY / "build" / name
    stamp, python = folder / ".sitewatch-lock", folder / "bin" / "python"
    wanted = f"{zlib.crc32(lock.read_bytes())} {platform.python_version()} {sys.base_prefix}"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=DEADLINE_S)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    done = subprocess.run(
        [*command, "--require-hashes", "--requirement", str(lock)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, f"{lock.name} cannot be installed: {done.stderr[-2000:]}"
    stamp.write_text(wanted, encoding="utf-8")
    return python
