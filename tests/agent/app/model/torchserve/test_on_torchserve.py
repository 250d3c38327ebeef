"""`sitewatch model torchserve`, and a real TorchServe that serves what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import assets_folder
from models.square_detectors import build_detector
from PIL import Image
from servers.ports import free_port
from servers.torchserve import TorchServe

from agent.cli import main
from agent.detect.detection_plan import plan_model
from agent.detect.engine_request import make_request
from agent.detect.exam_questions import questions_of
from agent.models.bundle.stills import stills
from agent.serve.picture import read_picture
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines import onnxruntime_engine
from devices.inventory import Accelerator, AcceleratorKind

CPU = Accelerator(AcceleratorKind.CPU, "CPU")
REAL = "yolox_nano_416"
LABELS = ("red", "blue")
MOST_PIXELS = 2_000_000

pytestmark = pytest.mark.java


def write(folder: Path, port: int, model: Path, *options: str) -> None:
    ports = ("--port", str(port), "--grpc-port", str(port + 3))
    more = ("--max-pixels", str(MOST_PIXELS), *options)
    assert main(["model", "torchserve", str(model), "--out", str(folder), *ports, *more]) == 0


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A detector that takes batches and a size, and one of another family that takes one picture in half precision."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "together": build_detector("detr", folder / "together.onnx", batch="dynamic"),
        "half": build_detector("nanodet", folder / "half.onnx", fp16=True),
    }


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, models: dict[str, Path], request: pytest.FixtureRequest
) -> Iterator[TorchServe]:
    """One TorchServe with two models, and a real one where there are assets."""
    folder, port = tmp_path_factory.mktemp("torchserve") / "ä folder", free_port()
    labels = folder.parent / "labels.txt"
    labels.write_text("\n".join(LABELS))
    write(folder, port, models["together"], "--labels", str(labels), "--max-batch", "4", "--max-delay", "500")
    write(folder, port, models["half"], "--labels", str(labels))
    names = [*models]
    if (real := request.getfixturevalue("real_model")) is not None:
        write(folder, port, real)
        names.append(real.stem)
    with TorchServe(folder, port) as started:
        for name in names:
            started.wait(name)
        yield started


@pytest.fixture(scope="module")
def real_model() -> Path | None:
    path = assets_folder() / "models" / f"{REAL}.onnx"
    return path if path.exists() else None


def squares() -> bytes:
    """A red and a blue square on grey, as the small detectors find them."""
    picture = np.full((360, 640, 3), 128, np.uint8)
    cv2.rectangle(picture, (100, 100), (163, 163), (0, 0, 255), -1)
    cv2.rectangle(picture, (400, 200), (463, 263), (255, 0, 0), -1)
    return cv2.imencode(".png", picture)[1].tobytes()


def expected(model: Path, content: bytes, **settings: Any) -> list[tuple[str, float, list[float]]]:
    """Label, score and box of what ONNX Runtime finds here, in the agent's way."""
    wanted = ModelSettings(path=model, **settings)
    plan = plan_model(model, wanted, DetectionSettings())
    asked = questions_of(plan, stills([read_picture(content, MOST_PIXELS).pixels]))
    engine = onnxruntime_engine.load(make_request(plan, wanted, CPU, threads=1, cache_dir=None))
    (found,) = plan.decoder.decode(engine.session().infer(asked.tensors[0]), asked.letterboxes[0])
    rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    return [(plan.labels.texts[class_id], score, box) for class_id, score, box in rows]


def assert_same(answer: dict[str, Any], wanted: list[tuple[str, float, list[float]]]) -> None:
    told = [(each["label"], each["score"], each["box"]) for each in answer["detections"]]
    assert len(wanted) > 0
    assert [label for label, _, _ in told] == [label for label, _, _ in wanted]
    np.testing.assert_allclose([score for _, score, _ in told], [score for _, score, _ in wanted], atol=1e-5)
    np.testing.assert_allclose([box for _, _, box in told], [box for _, _, box in wanted], atol=0.01)


@pytest.mark.parametrize("name", ["together", "half"])
def test_its_boxes_are_those_found_here(server: TorchServe, models: dict[str, Path], name: str) -> None:
    """Box for box, score for score; the size of the picture is told too."""
    status, answer = server.ask(name, squares())

    assert status == 200
    assert_same(answer, expected(models[name], squares(), labels=LABELS))
    assert answer["image"] == {"width_px": 640, "height_px": 360, "format": "PNG"}


@pytest.mark.assets
@pytest.mark.parametrize("photograph", ["astronaut.jpg", "cat_and_cup.jpg"])
def test_a_real_model(server: TorchServe, real_model: Path, assets: Path, photograph: str) -> None:
    """A public detector finds in photographs what it finds here."""
    content = resources.files("agent.app").joinpath("exam_pictures", photograph).read_bytes()
    status, answer = server.ask(REAL, content)

    assert (status, real_model) == (200, assets / "models" / f"{REAL}.onnx")
    assert_same(answer, expected(real_model, content))


def test_a_batch_with_a_bad_picture(server: TorchServe, models: dict[str, Path]) -> None:
    """Requests that a worker gets together are each answered for themselves."""
    bodies = [squares(), b"no picture", squares(), squares()[:-200]]
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda body: server.ask("together", body), bodies))

    assert [status for status, _ in answers] == [200, 415, 200, 422]
    for number in (0, 2):
        assert_same(answers[number][1], expected(models["together"], squares(), labels=LABELS))


def _png(size: tuple[int, int]) -> bytes:
    buffer = BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    return buffer.getvalue()


def _animated() -> bytes:
    buffer = BytesIO()
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "green", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "a bomb": (_png((20_000, 20_000)), 422, "too_many_pixels"),
    "text": (b"hello", 415, "no_image"),
    "animated": (_animated(), 422, "animated"),
    "nothing": (b"", 415, "no_image"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(server: TorchServe, case: str) -> None:
    """A body that is no picture to search has a status and a code that say why, and the worker lives on."""
    body, status, code = REFUSED[case]

    found, answer = server.ask("half", body)

    assert (found, answer["code"]) == (status, code)
    assert server.ask("half", squares())[0] == 200


def test_nobody_without_the_key(server: TorchServe) -> None:
    """The configuration leaves TorchServe's keys on."""
    status, answer = server.ask("half", squares(), has_key=False)

    assert status in {400, 401}
    assert "token" in str(answer).lower()
