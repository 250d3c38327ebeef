"""A plan says how a model is fed and read; the site file overrules what is read off the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models.detecting import make_plan
from models.graph import FLOAT, Graph
from models.square_detectors import FAMILIES, LABELS, build_detector

from agent.detect.letterbox import Fit, fit_frame
from agent.errors import ModelError, SettingsError

FED = {
    "yolox": (Fit.LETTERBOX_TOP_LEFT, "bgr", (1.0,) * 3),
    "yolov5": (Fit.LETTERBOX_CENTRE, "rgb", (1 / 255,) * 3),
    "yolov8": (Fit.LETTERBOX_CENTRE, "rgb", (1 / 255,) * 3),
    "end2end": (Fit.LETTERBOX_CENTRE, "rgb", (1 / 255,) * 3),
    "detr": (Fit.STRETCH, "rgb", (1 / 255,) * 3),
    "nanodet": (Fit.LETTERBOX_CENTRE, "bgr", (1 / 57.375, 1 / 57.12, 1 / 58.395)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_fed_as_it_was_trained(family: str, tmp_path: Path) -> None:
    """Fit, colour order and scale come with the family, the size from the model."""
    plan = make_plan(build_detector(family, tmp_path / "m.onnx"))

    fit, order, scale = FED[family]
    assert (plan.family, plan.preprocessing.fit, plan.image.order) == (family, fit, order)
    assert plan.image.scale == pytest.approx(scale)
    assert (plan.image.width_px, plan.image.height_px) == (320, 320)


def test_the_site_file_overrules(tmp_path: Path) -> None:
    """Everything about feeding can be said otherwise."""
    model = {
        "color_order": "bgr",
        "mean": (1, 2, 3),
        "scale": (0.5, 0.5, 0.5),
        "fit": "stretch",
        "pad_value": 7,
        "labels": ("a", "b"),
    }

    plan = make_plan(build_detector("yolov8", tmp_path / "m.onnx"), model)

    assert (plan.image.order, plan.image.mean, plan.image.scale) == ("bgr", (1, 2, 3), (0.5, 0.5, 0.5))
    assert (plan.preprocessing.fit, plan.preprocessing.pad_value) == (Fit.STRETCH, 7)
    assert plan.labels.texts == ("a", "b")


def test_labels_come_from_metadata(tmp_path: Path) -> None:
    """Where the exporter noted them."""
    plan = make_plan(build_detector("yolov8", tmp_path / "m.onnx"))

    assert plan.labels.texts == LABELS
    assert "metadata" in plan.told()


@pytest.mark.parametrize("count", [1, 3])
def test_labels_of_the_wrong_count_are_refused(count: int, tmp_path: Path) -> None:
    """The error names the model and both numbers."""
    path = build_detector("yolox", tmp_path / "m.onnx")

    with pytest.raises(ModelError, match=rf"m\.onnx: model\.labels: found {count} labels, .* 2 classes"):
        make_plan(path, {"labels": tuple("abc"[:count])})


@pytest.mark.parametrize(
    ("batch", "asked", "planned", "engine"),
    [(1, 1, 1, 1), (4, 1, 4, 4), (4, 4, 4, 4), ("dynamic", 1, 1, 1), ("dynamic", 8, 8, None)],
)
def test_the_batch_is_the_models_or_as_asked(
    batch: int, asked: int, planned: int, engine: int | None, tmp_path: Path
) -> None:
    """A fixed batch is taken, an open one filled up to what the site file says."""
    plan = make_plan(build_detector("yolov8", tmp_path / "m.onnx", batch=batch), {"batch": asked})

    assert (plan.batch, plan.engine_batch) == (planned, engine)


def test_a_batch_the_model_does_not_take_is_refused(tmp_path: Path) -> None:
    """Both numbers are told."""
    with pytest.raises(ModelError, match="takes exactly 1 in one inference, the site file says 4"):
        make_plan(build_detector("yolov8", tmp_path / "m.onnx"), {"batch": 4})


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "m.onnx"), (b"\0" * 100, "m.onnx"), (b"<html>not found</html>", "m.onnx"), (None, "m.onnx")],
)
def test_a_file_that_is_no_model_is_refused(content: bytes | None, told: str, tmp_path: Path) -> None:
    """Empty, binary, a page of a web server, or not there: one error that names the file."""
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelError, match=told):
        make_plan(path)


def test_a_model_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    """Half a download is no model."""
    path = build_detector("yolox", tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(ModelError, match=r"m\.onnx"):
        make_plan(path)


def test_a_model_that_is_no_detector_is_refused(tmp_path: Path) -> None:
    """What was seen is told with names, types and shapes, and what each family expects."""
    graph = Graph()
    image = graph.input("pixels", FLOAT, (1, 3, 32, 32))
    graph.output(graph.op("ReduceMean", image, axes=[2, 3], keepdims=0), "logits", FLOAT, (1, 3))

    with pytest.raises(ModelError, match="fits no family") as caught:
        make_plan(graph.write(tmp_path / "classifier.onnx", {}))

    told = str(caught.value)
    assert "input pixels float32 (1 x 3 x 32 x 32); output logits float32 (1 x 3)" in told
    assert all(family in told for family in FAMILIES)


def test_a_label_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A threshold for a label the model does not have would do nothing."""
    with pytest.raises(SettingsError, match="did you mean 'red'"):
        make_plan(build_detector("yolov8", tmp_path / "m.onnx"), score_thresholds={"rad": 0.5})


def test_thresholds_reach_the_decoder(tmp_path: Path) -> None:
    """A candidate below the threshold is not given, one above is."""
    path = build_detector("yolov8", tmp_path / "m.onnx")
    rows = np.zeros((1, 6, 2100), np.float32)
    rows[0, :, 0], rows[0, :, 1] = (50, 50, 20, 20, 0.4, 0), (200, 200, 20, 20, 0, 0.6)
    plan = make_plan(path, score_threshold=0.5)

    [found] = plan.decoder.decode({"output0": rows}, [fit_frame((320, 320), (320, 320), Fit.STRETCH)])

    assert found.boxes.tolist() == [[190, 190, 210, 210]]
    assert found.class_ids.tolist() == [1]


def test_labels_nobody_keeps_are_dismissed_early(tmp_path: Path) -> None:
    """They do not take the place of those that count when there are more than the limit."""
    path = build_detector("yolov8", tmp_path / "m.onnx")
    rows = np.zeros((1, 6, 2100), np.float32)
    rows[0, :, 0], rows[0, :, 1] = (50, 50, 20, 20, 0.9, 0), (200, 200, 20, 20, 0, 0.6)
    plan = make_plan(path, keep_labels=("blue",), max_detections=1)

    [found] = plan.decoder.decode({"output0": rows}, [fit_frame((320, 320), (320, 320), Fit.STRETCH)])

    assert found.class_ids.tolist() == [1]
