"""Asking another Python for its run-times."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devices.engines.catalogue import FOREIGN_ENGINES, foreign_availability
from devices.probes.root import this_machine


@pytest.mark.parametrize("name", FOREIGN_ENGINES)
def test_no_python_of_its_own(name: str) -> None:
    """Without an interpreter the run-time cannot be used, and the reason says what it needs."""
    status = foreign_availability(name, this_machine(sys.executable), None)

    assert not status.availability.usable
    assert status.availability.reason == "needs a Python of its own: name it in model.worker_python"


def test_the_other_python_is_asked(tmp_path: Path) -> None:
    """The answer is that of the interpreter named: here one that has an OpenVINO which lists a stick."""
    package = tmp_path / "openvino"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    words = "__version__ = '2022.3.2-9279'\nclass Core:\n    available_devices = ['CPU', 'MYRIAD']\n"
    (package / "runtime.py").write_text(words, encoding="utf-8")
    script = tmp_path / "python-of-openvino"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)

    status = foreign_availability("myriad", this_machine(sys.executable), script)

    assert status.availability.usable
    assert (status.version, status.devices) == ("2022.3.2", ("CPU", "MYRIAD"))


def test_a_python_without_it() -> None:
    """A Python that cannot have it is told from one that crashes."""
    status = foreign_availability("tensorrt_worker", this_machine(sys.executable), Path("/bin/false"))

    assert not status.availability.usable
    assert "exit status 1" in status.availability.reason
