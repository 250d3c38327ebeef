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
PYTORCH_FOR_PROCESSORS = "https://download.pytorch.org/whl/cpu"


def locked_environment(name: str) -> Path:
    """The Python of an environment that holds what requirements/NAME.lock pins, with its hashes, and nothing else.

    But for PyTorch, where there is a NAME.torch.txt: that says why.
    """
    lock = REPOSITORY / "requirements" / f"{name}.lock"
    torch = lock.with_suffix(".torch.txt")
    folder = REPOSITORY / "build" / name
    stamp, python = folder / ".sitewatch-lock", folder / "bin" / "python"
    pins = lock.read_bytes() + (torch.read_bytes() if torch.exists() else b"")
    wanted = f"{zlib.crc32(pins)} {platform.python_version()} {sys.base_prefix}"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=DEADLINE_S)
    failure = _install(python, "--require-hashes", "--requirement", str(lock))
    assert not failure, f"{lock.name} cannot be installed: {failure}"
    if torch.exists():
        failure = _install(python, "--requirement", str(torch)) and _install(
            python, "--requirement", str(torch), "--extra-index-url", PYTORCH_FOR_PROCESSORS
        )
        assert not failure, f"{torch.name} cannot be installed: {failure}"
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _install(python: Path, *what: str) -> str:
    """What pip complains of, or nothing."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    done = subprocess.run([*command, *what], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    return done.stderr[-2000:] if done.returncode else ""
