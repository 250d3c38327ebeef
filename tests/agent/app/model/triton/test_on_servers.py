"""`sitewatch model triton`, and real servers that load what it wrote."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tritonclient.grpc
import yaml
from models.square_detectors import build_detector
from servers.environments import locked_environment
from servers.model_servers import SERVERS, ModelServer, RunningServers, Triton

from agent.app.engine_exam import standard_pictures
from agent.cli import main
from agent.detect.agreement import TOLERANCES, compare_boxes
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.engine_request import make_request
from agent.detect.exam_questions import questions_of
from agent.models.bundle.stills import stills
from agent.settings.models import DetectionSettings, ModelSettings
from agent.stream.frame import BgrArray
from devices.engines import onnxruntime_engine
from devices.engines.engine import Engine, EngineRequest
from devices.engines.kserve import engine as kserve
from devices.inventory import Accelerator, AcceleratorKind
from trackers import Detections

CPU = Accelerator(AcceleratorKind.CPU, "CPU")
REMOTE = Accelerator(AcceleratorKind.REMOTE, "a model server of the tests")
COCO_PICTURES = 2
COUNTED_WITHIN_S = 10.0


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(server: ModelServer, model: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Have the tool write a model into a running server's folder, and what it says to put into a site file."""
    own: tuple[str, ...] = ("--for", "mlserver")
    if isinstance(server, Triton):
        own = ("--back-end", "python", "--environment", str(locked_environment("triton").parents[1]))
    assert main(["model", "triton", str(model), "--out", str(server.models), *own, *options]) == 0
    return capsys.readouterr().out.partition("in the site file:\n\n")[2]


def settings_in(snippet: str, server: ModelServer) -> ModelSettings:
    """The model of a site file, with the address that the server of this test has."""
    written: dict[str, Any] = yaml.safe_load(snippet)["model"]
    assert written["engine"] == "kserve"
    return ModelSettings(**{**written, "servers": (server.grpc,), "remote_timeout": "30s"})


def found(engine: Engine, plan: DetectionPlan, pictures: Sequence[BgrArray]) -> list[Detections]:
    asked, session = questions_of(plan, stills(pictures)), engine.session()
    answers = [session.infer(tensors) for tensors in asked.tensors]
    session.close()
    engine.close()
    rows = zip(answers, asked.letterboxes, strict=True)
    return [one for answer, boxes in rows for one in plan.exam_decoder.decode(answer, boxes)]


def assert_same_boxes(settings: ModelSettings, pictures: Sequence[BgrArray]) -> None:
    """What a model on servers finds is what ONNX Runtime finds here; and it finds something."""
    plan = plan_model(settings.path, settings, DetectionSettings())
    there = kserve.load(make_request(plan, settings, REMOTE, threads=1, cache_dir=None))
    here = onnxruntime_engine.load(make_request(plan, settings, CPU, threads=1, cache_dir=None))
    pairs = list(zip(found(here, plan, pictures), found(there, plan, pictures), strict=True))
    difference = compare_boxes(pairs, TOLERANCES["fp32"])

    assert difference is not None
    assert difference.is_within, difference.text
    assert [len(one) for one, _ in pairs] == [len(other) for _, other in pairs]
    for one, other in pairs:
        np.testing.assert_allclose(other.boxes, one.boxes, atol=0.01)


def squares() -> BgrArray:
    """A red and a blue square on grey, as the small detectors find them."""
    picture = np.full((360, 640, 3), 128, np.uint8)
    cv2.rectangle(picture, (100, 100), (163, 163), (0, 0, 255), -1)
    cv2.rectangle(picture, (400, 200), (463, 263), (255, 0, 0), -1)
    return picture


@pytest.mark.parametrize(
    ("family", "batch", "options"),
    [("yolox", 1, ()), ("detr", "dynamic", ("--warm-up",)), ("yolov8", "dynamic", ("--pictures", "--max-batch", "2"))],
    ids=["as it stands", "batches and a second input", "pictures"],
)
def test_what_was_written_is_served(
    tmp_path: Path,
    model_servers: RunningServers,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    family: str,
    batch: Any,
    options: tuple[str, ...],
) -> None:
    """The server loads it, the site file's lines reach it, and its boxes are those found here."""
    name = f"squares.{family}"
    model = build_detector(family, tmp_path / f"{name}.onnx", input_size=320, batch=batch)
    (tmp_path / "labels.txt").write_text("red\nblue\n")
    server = model_servers(kind)

    snippet = write(server, model, capsys, "--labels", str(tmp_path / "labels.txt"), *options)
    server.load(name)

    assert_same_boxes(settings_in(snippet, server), [squares()])


@pytest.mark.assets
@pytest.mark.parametrize("model", ["yolox_nano_416", "deimv2_atto_320"])
def test_real_models(
    assets: Path, model_servers: RunningServers, capsys: pytest.CaptureFixture[str], kind: str, model: str
) -> None:
    """Detectors of the public, under another name on the server, on photographs."""
    photographs = [cv2.imread(str(path)) for path in sorted((assets / "coco" / "images").iterdir())[:COCO_PICTURES]]
    server = model_servers(kind)

    snippet = write(server, assets / "models" / f"{model}.onnx", capsys, "--name", f"real-{model}", "--max-batch", "2")
    server.load(f"real-{model}")

    assert_same_boxes(settings_in(snippet, server), [*standard_pictures(), *photographs])


def test_requests_that_wait_together(
    tmp_path: Path, model_servers: RunningServers, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Cameras that ask within the delay are one inference on the server, and each gets its own answer."""
    model = build_detector("yolov8", tmp_path / "together.onnx", input_size=96, batch="dynamic")
    server = model_servers(kind)
    write(server, model, capsys, "--max-batch", "4", "--max-delay", "1000")
    server.load("together")
    random = np.random.default_rng(5)
    pictures = [random.random((1, 3, 96, 96), np.float32) for _ in range(4)]

    answers, runs = ask_at_once(server, pictures)

    assert runs in {1, None}  # not every server counts
    here = onnxruntime_engine.load(EngineRequest(model, CPU)).session()
    for picture, answer in zip(pictures, answers, strict=True):
        expected = here.infer({"images": picture})["output0"]
        np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4)


def ask_at_once(server: ModelServer, pictures: Sequence[Any]) -> tuple[list[Any], int | None]:
    """The answer to each picture, asked by as many threads; and how many inferences that took, where it is told."""
    with (
        tritonclient.grpc.InferenceServerClient(server.grpc.removeprefix("grpc://")) as client,
        ThreadPoolExecutor(len(pictures)) as pool,
    ):

        def ask(picture: Any) -> Any:
            sent = tritonclient.grpc.InferInput("images", list(picture.shape), "FP32")
            sent.set_data_from_numpy(picture)
            return client.infer("together", [sent]).as_numpy("output0")

        answers = list(pool.map(ask, pictures))
        if not isinstance(server, Triton):
            return answers, None
        counted = client.get_inference_statistics("together").model_stats[0]
        deadline_s = time.monotonic() + COUNTED_WITHIN_S  # the server counts after it has answered
        while counted.inference_count < len(pictures) and time.monotonic() < deadline_s:
            time.sleep(0.05)
            counted = client.get_inference_statistics("together").model_stats[0]
        assert counted.inference_count == len(pictures)
        return answers, counted.execution_count


if Triton.can_run():

    def test_configurations_of_other_back_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """All that Triton finds wrong with them is that the server of these tests has no such back end."""
        model = build_detector("detr", tmp_path / "squares.onnx", input_size=96, batch="dynamic")
        more = ("--preferred", "2,4", "--max-delay", "1", "--warm-up", "--instances", "2", "--device", "cpu")
        with Triton(tmp_path / "own") as server:  # a model that does not load takes the server's readiness
            for name in ("onnxruntime", "openvino"):
                options = ("--out", str(server.models), "--name", name, "--back-end", name, *more)
                assert main(["model", "triton", str(model), *options]) == 0
                with pytest.raises(AssertionError, match=f"unable to find backend library for backend .*{name}"):
                    server.load(name)
        capsys.readouterr()
