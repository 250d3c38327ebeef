"""What the engine says where there is no Core ML."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fakes import tiny_coreml

from devices.engines.coreml.engine import load
from devices.engines.engine import EngineRequest
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has Core ML")
def test_core_ml_is_a_part_of_macos(tmp_path: Path) -> None:
    """With coremltools installed, elsewhere, the reason is the system."""
    engine = Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, "Apple M2 Neural Engine")

    with pytest.raises(EngineUnavailable, match="Core ML is a part of macOS, and this is another system"):
        load(EngineRequest(tiny_coreml.doubled(tmp_path), engine))
