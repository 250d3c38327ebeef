"""`sitewatch probe` on this machine, as people and as programs read it."""

from __future__ import annotations

import json

import pytest

from agent.cli import main
from agent.service.exit_codes import ExitCode


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The keys that the manual names; the processor is there, and ONNX Runtime can use it."""
    assert main(["probe", "--json"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)

    assert set(found) == {
        "machine", "system", "architecture", "python", "cpu_limit", "memory_bytes", "accelerators", "runtimes",
        "candidates", "absent", "notes", "cores", "decoders", "jetson", "vitals",
    }  # fmt: skip
    assert "cpu" in {accelerator["kind"] for accelerator in found["accelerators"]}
    assert {"name", "version", "availability", "devices"} == set(found["runtimes"][0])
    ways = {(way["runtime"], way["kind"]): way["availability"] for way in found["candidates"]}
    assert ways["onnxruntime", "cpu"]["usable"] is True
    assert all(availability["reason"] for availability in ways.values())
    assert found["cpu_limit"] > 0


def test_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """One screen: the machine, then every way with a sign and a reason."""
    assert main(["probe"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()

    assert [line.split()[0] for line in lines[:4]] == ["machine", "system", "processors", "memory"]
    ways = lines[lines.index("ways to run a model, best first") + 1 :]
    assert any(line.startswith("  + onnxruntime on cpu ") for line in ways)
    assert all(line.startswith(("  + ", "  - ", "  note: ")) and len(line.split()) > 2 for line in ways)
