"""What is written into `config.pbtxt`, read back by Triton's own protocol buffers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as some
from models.square_detectors import build_detector
from tritonclient.grpc import model_config_pb2

from agent.errors import ToolInputError
from agent.models.triton.back_ends import BACK_ENDS, Instances, choose_back_end
from agent.models.triton.model_config import Batching, Serving, config_pbtxt
from agent.models.triton.pbtxt import Message, pbtxt
from agent.models.triton.served_model import ServedModel, Wish, served_model
from agent.settings.models import ModelSettings
from devices.engines.engine import TensorSpec

ONNX = BACK_ENDS["onnxruntime"]


@pytest.fixture(scope="module")
def open_batch(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """A model that takes several pictures at once, of any size, and the size boxes shall be in."""
    path = tmp_path_factory.mktemp("open") / "squares.onnx"
    build_detector("detr", path, input_size=96, batch="dynamic", dynamic_size=True)
    settings = ModelSettings(path=path, labels=("red", "blue"), input_size="96x64")
    return served_model(Wish(settings, largest_batch=4), ONNX)


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """A model that takes one picture."""
    path = build_detector("yolov8", tmp_path_factory.mktemp("one") / "squares.onnx", input_size=96)
    return served_model(Wish(ModelSettings(path=path)), ONNX)


def parsed(model: ServedModel, serving: Serving) -> Any:
    return text_format.Parse(config_pbtxt(model, serving), model_config_pb2.ModelConfig())


def test_a_model_that_takes_batches(open_batch: ServedModel) -> None:
    """The batch is the server's: it is no axis of a tensor, open axes are -1, and requests are put together."""
    batching = Batching((2, 4), 1500)
    config = parsed(open_batch, Serving("gate", ONNX, batching=batching, warms_up=True))
    inputs = {each.name: (each.data_type, list(each.dims)) for each in config.input}

    assert (config.name, config.backend, config.max_batch_size) == ("gate", "onnxruntime", 4)
    assert inputs == {
        "images": (model_config_pb2.TYPE_FP32, [3, -1, -1]),
        "orig_target_sizes": (model_config_pb2.TYPE_INT64, [2]),
    }
    assert [each.name for each in config.output] == ["labels", "boxes", "scores"]
    assert [each.label_filename for each in config.output] == ["labels.txt", "", ""]
    assert list(config.dynamic_batching.preferred_batch_size) == [2, 4]
    assert config.dynamic_batching.max_queue_delay_microseconds == 1500
    warm = config.model_warmup[0]
    assert {name: list(each.dims) for name, each in warm.inputs.items()} == {
        "images": [3, 64, 96],
        "orig_target_sizes": [2],
    }
    assert all(each.zero_data for each in warm.inputs.values())


def test_a_model_that_takes_one_picture(one_by_one: ServedModel) -> None:
    """The tensors are as the file has them, nothing is put together, and a note says why."""
    config = parsed(one_by_one, Serving("gate", ONNX))

    assert config.max_batch_size == 0
    assert list(config.input[0].dims) == [1, 3, 96, 96]
    assert not config.HasField("dynamic_batching")
    assert one_by_one.notes == (
        "no batching, as the model takes exactly 1 at once; export it with an open batch for more",
    )
    with pytest.raises(ToolInputError, match="--preferred: this model takes no batches"):
        config_pbtxt(one_by_one, Serving("gate", ONNX, batching=Batching((2,))))


def test_a_batch_nobody_can_make(open_batch: ServedModel) -> None:
    """A preferred batch beyond the largest is refused, which Triton would do at the load only."""
    with pytest.raises(ToolInputError, match="8 is more than the largest batch, 4"):
        config_pbtxt(open_batch, Serving("gate", ONNX, batching=Batching((2, 8))))


@pytest.mark.parametrize(
    ("back_end", "instances", "kind", "gpus"),
    [
        ("onnxruntime", Instances(), "KIND_AUTO", []),
        ("onnxruntime", Instances("cpu", 3), "KIND_CPU", []),
        ("onnxruntime", Instances("auto", 2, (0, 2)), "KIND_GPU", [0, 2]),
        ("tensorrt", Instances(), "KIND_GPU", []),
        ("openvino", Instances(), "KIND_CPU", []),
        ("python", Instances(), "KIND_CPU", []),
    ],
)
def test_where_instances_run(
    one_by_one: ServedModel, back_end: str, instances: Instances, kind: str, gpus: list[int]
) -> None:
    """As asked; a back end that knows one kind of device gets that."""
    (group,) = parsed(one_by_one, Serving("gate", BACK_ENDS[back_end], instances)).instance_group

    assert model_config_pb2.ModelInstanceGroup.Kind.Name(group.kind) == kind
    assert (group.count, list(group.gpus)) == (instances.count, gpus)


def test_what_only_one_back_end_has(one_by_one: ServedModel) -> None:
    """A plan is a platform, an ONNX file of OpenVINO is named, the Python's environment is a parameter."""
    plan = parsed(one_by_one, Serving("gate", BACK_ENDS["tensorrt"]))
    openvino = parsed(one_by_one, Serving("gate", BACK_ENDS["openvino"]))
    python = parsed(one_by_one, Serving("gate", BACK_ENDS["python"], environment=Path("/srv/py"), threads=3))

    assert (plan.platform, plan.backend) == ("tensorrt_plan", "")
    assert (openvino.backend, openvino.default_model_filename) == ("openvino", "model.onnx")
    parameters = {key: each.string_value for key, each in python.parameters.items()}
    assert parameters == {"threads": "3", "EXECUTION_ENV_PATH": "/srv/py"}


@pytest.mark.parametrize(
    ("name", "file", "instances", "sentence"),
    [
        ("auto", "m.tflite", Instances(), "m.tflite: no back end for it: onnxruntime reads .onnx, openvino"),
        ("tensorrt", "m.onnx", Instances(), "no back end for it: tensorrt reads .plan and .engine"),
        ("openvino", "m.xml", Instances("gpu"), "the openvino back end runs on auto or cpu, not on gpu"),
        ("python", "m.onnx", Instances(gpus=(1,)), "the python back end runs on auto or cpu, not on gpu"),
        ("tensorrt", "m.plan", Instances("cpu"), "the tensorrt back end runs on auto or gpu, not on cpu"),
    ],
)
def test_a_back_end_that_cannot(name: str, file: str, instances: Instances, sentence: str) -> None:
    """What a back end does not read or run on is refused, with what it does."""
    with pytest.raises(ToolInputError, match=sentence):
        choose_back_end(name, Path(file), instances)


def test_a_type_that_servers_do_not_know(one_by_one: ServedModel) -> None:
    """It is refused by the tensor's name."""
    odd = replace(one_by_one, outputs=(TensorSpec("out", "bfloat16", (1, 2)),))

    with pytest.raises(ToolInputError, match="tensor out is of the type bfloat16"):
        config_pbtxt(odd, Serving("gate", ONNX))


@given(some.text())
def test_any_text_comes_back(text: str) -> None:
    """Quotes, ends of lines, backslashes, other scripts and control characters survive."""
    config = text_format.Parse(pbtxt(Message((("name", text),))), model_config_pb2.ModelConfig())

    assert config.name == text
