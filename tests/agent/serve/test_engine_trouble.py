"""An engine that fails, or whose model's file is replaced, while people ask."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from clips import sent_pictures
from clips.rendered import TruthBox, draw
from models.square_detectors import build_detector
from models.troubled_detectors import build_troubled
from PIL import Image
from servers.detection_server import Serving, serving

from agent.errors import DetectionError

DEADLINE_S = 20.0
SIZE_PX = (640, 360)
INPUT_PX = 320


def picture(class_id: int) -> bytes:
    """A red square (0), which is fine, or a blue one (1), which is trouble."""
    pixels = draw([TruthBox(1, class_id, 164, 72, 228, 136)], SIZE_PX, seed=0)
    return sent_pictures.encoded(Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])), "PNG")


FINE, TROUBLE = picture(0), picture(1)


def troubled(trouble: str, folder: Path) -> Path:
    """A detector that goes wrong when it sees blue."""
    return build_troubled(trouble, folder / "troubled.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)


def wait_until_ended(served: Serving) -> BaseException | None:
    """Why it ended of itself."""
    until_s = time.monotonic() + DEADLINE_S
    while not served.outcomes:
        assert time.monotonic() < until_s
        time.sleep(0.01)
    return served.outcomes[0].error


@pytest.mark.parametrize("trouble", ["raises", "wrong shape", "no number"])
def test_a_failed_inference_is_a_500(trouble: str, tmp_path: Path) -> None:
    """Of that request alone, in one line; the next is answered."""
    with serving(troubled(trouble, tmp_path)) as served:
        bad, good = served.detect(TROUBLE), served.detect(FINE)

        assert bad.status_code == 500
        assert bad.json()["code"] == "inference_failed"
        assert "\n" not in bad.json()["detail"]
        assert good.status_code == 200
        assert len(good.json()["detections"]) == 1
        assert not served.outcomes


def test_failures_in_a_row_end_the_server(tmp_path: Path) -> None:
    """Five, as in the agent: the stage's error is what decides the exit status."""
    with serving(troubled("raises", tmp_path)) as served:
        for _ in range(4):
            assert served.detect(TROUBLE).status_code == 500
        assert served.detect(FINE).status_code == 200
        codes = [served.detect(TROUBLE).status_code for _ in range(5)]
        error = wait_until_ended(served)

    assert codes == [500] * 5
    assert isinstance(error, DetectionError)
    assert "5 inferences in a row failed" in str(error)


def test_a_replaced_model_is_told(squares_model: Path, tmp_path: Path) -> None:
    """The loaded one goes on, /ready and the metrics say so, and take it back when the old file is back."""
    path = tmp_path / "model.onnx"
    shutil.copy(squares_model, path)
    with serving(path) as served:
        other = build_detector("yolox", tmp_path / "other.onnx")
        other.replace(path)
        _wait_for_change(served, is_changed=True)
        answer = served.detect(FINE).json()
        ready, metric = served.client.get("/ready"), served.metric("sitewatch_serve_model_changed")
        path.unlink()
        shutil.copy(squares_model, path)
        _wait_for_change(served, is_changed=False)

    assert ready.status_code == 200
    assert ready.json()["ready"]
    assert metric == 1
    assert answer["model"]["family"] == "yolov8"
    assert len(answer["detections"]) == 1


def _wait_for_change(served: Serving, *, is_changed: bool) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while served.client.get("/ready").json()["model_changed"] is not is_changed:
        assert time.monotonic() < until_s
        time.sleep(0.02)
