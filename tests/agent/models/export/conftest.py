"""The verb as it is called, for the tests that run where PyTorch is."""

from __future__ import annotations

from pathlib import Path

import pytest
from models.export_runs import TESTS, Export, Outcome

from agent.cli import main


@pytest.fixture
def export(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Export:
    """Runs `sitewatch model export MODULE ... --json`, into a folder of its own."""
    path = tmp_path / "results" / "exported.onnx"
    path.parent.mkdir()

    def run(module: str | Path, *options: str | Path) -> Outcome:
        capfd.readouterr()
        arguments = ["--out", path, "--folder", TESTS, "--json", *options]
        status = main(["model", "export", str(module), *map(str, arguments)])
        said = capfd.readouterr()
        return Outcome(status, said.out, said.err, path)

    return run
