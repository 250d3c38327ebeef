"""Conversion to Core ML, where coremltools is: the files `inside_*.py` beside this one."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.inside import run_inside

HERE = Path(__file__).parent


def test_inside(tmp_path: Path) -> None:
    """Every test of the file passes there."""
    run_inside("export", HERE / "inside_core_ml.py", scratch=tmp_path)


@pytest.mark.assets
def test_inside_with_real_models(assets: Path, tmp_path: Path) -> None:
    """The same with the models of the assets."""
    run_inside("export", HERE / "inside_real_models.py", scratch=tmp_path, more={"SITEWATCH_ASSETS": str(assets)})
