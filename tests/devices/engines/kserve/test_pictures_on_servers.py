"""Pictures reach a model on a server as they reach one here, whichever way the server holds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes.tiny_onnx import FLOAT, HALF, UINT8, same_image
from servers.model_servers import SERVERS, RunningServers

from devices.engines import onnxruntime_engine
from devices.engines.engine import Engine, EngineRequest, ImageInput, RemoteUse
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.kserve import engine as kserve
from devices.engines.model_file import read_model
from devices.errors import EngineLoadError
from devices.inventory import Accelerator, AcceleratorKind

CPU = Accelerator(AcceleratorKind.CPU, "CPU")
REMOTE = Accelerator(AcceleratorKind.REMOTE, "a model server of the tests")
IMAGE = ImageInput("image", 8, 6, "rgb", (103.53, 116.28, 123.675), (1 / 57.375, 1 / 57.12, 1 / 58.395))
PLAIN = ImageInput("image", 8, 6, "rgb", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
PIXELS = np.random.default_rng(7).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def written(folder: Path, proto: onnx.ModelProto | bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
    return path


def load(servers: RunningServers, kind: str, path: Path, held: Path, image: ImageInput = IMAGE) -> Engine:
    server = servers(kind)
    use = RemoteUse((server.grpc,), model=server.serve_once(held))
    return kserve.load(EngineRequest(path, REMOTE, image, remote=use))


@pytest.mark.parametrize(
    ("element", "axes", "image"),
    [(FLOAT, ("N", 3, 6, 8), IMAGE), (HALF, ("N", 3, 6, 8), IMAGE), (FLOAT, ("N", 6, 8, 3), IMAGE),
     (UINT8, ("N", 3, 6, 8), PLAIN), (UINT8, ("N", 6, 8, 3), PLAIN)],
    ids=["float32", "float16", "channels last", "uint8", "uint8 channels last"],
)  # fmt: skip
def test_a_model_as_it_was_exported(
    tmp_path: Path,
    model_servers: RunningServers,
    kind: str,
    element: int,
    axes: tuple[int | str, ...],
    image: ImageInput,
) -> None:
    """The agent turns pictures into the model's tensor; the answer is that of ONNX Runtime here."""
    path = written(tmp_path, same_image(element, axes))
    here = onnxruntime_engine.load(EngineRequest(path, CPU, image))
    there = load(model_servers, kind, path, path, image)

    expected = here.session().infer({"image": PIXELS})["seen"]

    np.testing.assert_allclose(there.session().infer({"image": PIXELS})["seen"], expected, rtol=2e-3, atol=2e-3)
    there.close()


def test_a_model_that_takes_pictures(tmp_path: Path, model_servers: RunningServers, kind: str) -> None:
    """A server that holds the prepared graph is sent uint8, a quarter of the bytes, and the engine says so."""
    path = written(tmp_path, same_image())
    request = EngineRequest(path, CPU, IMAGE)
    held = written(tmp_path, prepared_graph(read_model(path), request), "prepared.onnx")
    there = load(model_servers, kind, path, held)

    answer = there.session().infer({"image": PIXELS})["seen"]

    expected = onnxruntime_engine.load(request).session().infer({"image": PIXELS})["seen"]
    np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-5)
    assert "pictures travel as uint8 (?, 6, 8, 3)" in there.spec.notes
    assert PICTURES not in {spec.name for spec in there.spec.inputs}
    there.close()


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (
            same_image(axes=("N", 3, 6, 9)),
            r"has the input image as float32 \(\?, 3, 6, 9\), not float32 \(\?, 3, 6, 8\)",
        ),
        (same_image(HALF), "has the input image as float16"),
    ],
    ids=["size", "type"],
)
def test_another_model(
    tmp_path: Path, model_servers: RunningServers, kind: str, held: onnx.ModelProto, sentence: str
) -> None:
    """A server whose model does not fit the site's file is refused by name, with both shapes."""
    path = written(tmp_path, same_image())

    with pytest.raises(EngineLoadError, match=sentence):
        load(model_servers, kind, path, written(tmp_path, held, "held.onnx"))
