"""Core ML packages are made, and Apple's own front end is asked, where coremltools and PyTorch are: `inside_*.py`."""

from __future__ import annotations

from pathlib import Path

from servers.inside import run_inside


def test_inside(tmp_path: Path) -> None:
    """Every test of the files passes there."""
    run_inside("export", *sorted(Path(__file__).parent.glob("inside_*.py")), scratch=tmp_path)
