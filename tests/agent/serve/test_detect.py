"""`POST /detect`: the answers are the detector's own, whichever way the picture and the wishes come."""

from __future__ import annotations

from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import sent_pictures
from clips.sent_pictures import SQUARES, square_pixels
from models.detecting import assert_finds, make_frame, make_plan, open_detector
from PIL import Image
from servers.detection_server import Serving, serving

from agent.serve.picture import read_picture
from trackers import Detections

MAX_PIXELS = 1_000_000


def told(answer: dict[str, Any]) -> Detections:
    """The detections of an answer."""
    rows = answer["detections"]
    return Detections(
        np.array([row["box"] for row in rows], np.float32).reshape(-1, 4),
        np.array([row["score"] for row in rows], np.float32),
        np.array([row["class_id"] for row in rows], np.int32),
    )


def assert_same(found: Detections, expected: Detections) -> None:
    """To the last bit."""
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)


def test_an_answer_tells_everything(squares: Serving) -> None:
    """Boxes in pixels, labels, scores, size, times, model, engine."""
    answer = squares.detect(sent_pictures.png()).json()

    assert_finds(told(answer), SQUARES)
    assert [row["label"] for row in sorted(answer["detections"], key=lambda row: row["class_id"])] == ["red", "blue"]
    assert answer["image"] == {"width_px": 640, "height_px": 360, "format": "PNG"}
    assert answer["model"] == {"name": "squares", "family": "yolov8", "sha256": squares.plan.sha256}
    assert answer["engine"]["runtime"] == "onnxruntime"
    assert answer["engine"]["batch"] == 1
    times = answer["timings"]
    assert 0 < times["detect_seconds"] < times["total_seconds"] < 5
    assert all(seconds >= 0 for seconds in times.values())


@pytest.mark.parametrize(("score", "iou", "most"), [(0.01, 0.65, 300), (0.3, 0.2, 300), (0.05, 1.0, 3)])
def test_answers_are_the_detectors_own(squares: Serving, score: float, iou: float, most: int) -> None:
    """Box for box, on a picture with much to find, whatever the thresholds."""
    content = resources.files("agent.app").joinpath("exam_pictures", "cat_and_cup.jpg").read_bytes()
    pixels = read_picture(content, MAX_PIXELS).pixels
    plan = make_plan(squares.plan.path, score_threshold=score, iou_threshold=iou, max_detections=most)
    with open_detector(plan) as detector:
        expected = detector.detect([make_frame(pixels)])[0]
    answer = squares.detect(content, score_threshold=score, iou_threshold=iou, max_detections=most)

    assert len(expected) > 1
    assert_same(told(answer.json()), expected)


@pytest.mark.assets
@pytest.mark.parametrize(("model", "batch"), [("yolox_nano_416", 1), ("deimv2_atto_320", 2)])
def test_published_models_answer_as_their_detector(model: str, batch: int, assets: Path) -> None:
    """Real pictures, a model with a batch of one and one that leaves it open: box for box."""
    path = assets / "models" / f"{model}.onnx"
    pictures = [each.read_bytes() for each in sorted((assets / "coco" / "images").glob("*.jpg"))[:3]]
    plan = make_plan(path, {"batch": batch}, score_threshold=0.25)
    with serving(path, "--max-batch-size", "2") as served, open_detector(plan) as detector:
        for content in pictures:
            pixels = read_picture(content, MAX_PIXELS).pixels
            assert_same(told(served.detect(content).json()), detector.detect([make_frame(pixels)])[0])


def test_a_form_is_the_same_as_the_body(squares: Serving) -> None:
    """The part `image` of a form, as curl and browsers send it."""
    plain = squares.detect(sent_pictures.png()).json()
    form = squares.client.post("/detect", files={"image": ("a.png", sent_pictures.png(), "image/png")}).json()

    assert form["detections"] == plain["detections"]


def test_labels_that_count(squares: Serving) -> None:
    """Others are left out, and the answer says what counted."""
    answer = squares.detect(sent_pictures.png(), label="blue").json()

    assert [row["label"] for row in answer["detections"]] == ["blue"]
    assert answer["thresholds"]["labels"] == ["blue"]
    assert len(squares.detect(sent_pictures.png(), label=["blue", "red"]).json()["detections"]) == 2


def test_boxes_of_a_turned_picture_are_upright(squares: Serving) -> None:
    """EXIF orientation is heeded, and the size is that of the upright picture."""
    answer = squares.detect(sent_pictures.turned_jpeg(6)).json()

    assert answer["image"] == {"width_px": 640, "height_px": 360, "format": "JPEG"}
    assert_finds(told(answer), SQUARES, within_px=3.0)


@pytest.mark.parametrize(("form", "media_type"), [("jpeg", "image/jpeg"), ("png", "image/png")])
def test_the_picture_with_its_boxes(squares: Serving, form: str, media_type: str) -> None:
    """Of the size that was sent, changed where the boxes are."""
    answer = squares.detect(sent_pictures.png(), answer=form)

    assert answer.headers["content-type"] == media_type
    with Image.open(BytesIO(answer.content)) as image:
        drawn = np.asarray(image.convert("RGB"), int)[:, :, ::-1]
    plain = square_pixels().astype(int)
    assert drawn.shape == plain.shape
    assert np.abs(drawn - plain)[72, 164:228].mean() > 40
    assert np.abs(drawn - plain)[300:, :100].mean() < 12


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing": ({"content": b""}, 400, "empty"),
    "text": ({"content": b"hello"}, 415, "no_image"),
    "a bomb": ({"content": sent_pictures.promised_png(50_000, 50_000)}, 422, "too_many_pixels"),
    "half": ({"content": sent_pictures.png()[:5000]}, 422, "damaged"),
    "two frames": ({"content": sent_pictures.animated("GIF")}, 422, "animated"),
    "too large": ({"content": bytes(2_000_001)}, 413, "too_many_bytes"),
    "a form without it": ({"files": {"picture": b"x"}}, 400, "bad_multipart"),
    "a form with more": ({"files": {"image": b"x", "other": b"y"}}, 400, "bad_multipart"),
    "a form cut short": (
        {"content": b'--a\r\nContent-Disposition: form-data; name="image"\r\n\r\nx',
         "headers": {"content-type": "multipart/form-data; boundary=a"}}, 400, "bad_multipart",
    ),
    "a form without boundary": (
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad_multipart"
    ),
    "a score above 1": ({"params": {"score_threshold": 1.1}}, 422, "bad_parameter"),
    "no number": ({"params": {"iou_threshold": "nan"}}, 422, "bad_parameter"),
    "no detections": ({"params": {"max_detections": 0}}, 422, "bad_parameter"),
    "another label": ({"params": {"label": "blu"}}, 422, "bad_parameter"),
    "another answer": ({"params": {"answer": "xml"}}, 422, "bad_parameter"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_is_one_clear_line(squares: Serving, kind: str) -> None:
    """A problem after RFC 9457 with its status, a code for programs and a line for people; and it is counted."""
    request, status, code = REFUSED[kind]
    before = squares.metric(f'sitewatch_serve_refusals_total{{code="{code}"}}')
    answer = squares.client.post("/detect", **request)
    problem = answer.json()

    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert "\n" not in problem["detail"]
    assert len(problem["detail"]) > 10
    assert squares.metric(f'sitewatch_serve_refusals_total{{code="{code}"}}') == before + 1


def test_a_body_that_announces_too_much_is_refused_unread(squares: Serving) -> None:
    """By its head; and one that announces nothing, as it comes."""
    chunks = iter([bytes(1_000_000)] * 3)
    answer = squares.client.post("/detect", content=chunks)

    assert answer.status_code == 413


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/detect", 405)])
def test_other_pages_and_methods_are_problems_too(squares: Serving, method: str, path: str, status: int) -> None:
    """What the routing refuses has the same form."""
    answer = squares.client.request(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
