"""One server for the tests that only ask it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from models.square_detectors import build_detector
from servers.detection_server import Serving, serving

MAX_BYTES = 2_000_000
MAX_PIXELS = 1_000_000


@pytest.fixture(scope="package")
def squares_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of squares that takes any number of pictures at once."""
    return build_detector("yolov8", tmp_path_factory.mktemp("serve") / "squares.onnx", batch="dynamic")


@pytest.fixture(scope="package")
def squares(squares_model: Path) -> Iterator[Serving]:
    """A server of it, in this process."""
    sizes = ("--max-size", f"{MAX_BYTES}B", "--max-pixels", str(MAX_PIXELS))
    with serving(squares_model, "--max-batch-size", "4", "--deadline", "5s", *sizes) as served:
        yield served
