"""From a float model and calibration pictures to the int8 model that loses little enough."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import Questions
from agent.detect.letterbox import fit_frame
from agent.errors import RefusedResultError, ToolInputError
from agent.models.quantize.accuracy import Accuracy
from agent.models.quantize.calibration_pictures import CalibrationSet
from agent.models.quantize.int8_search import Files, Found, Int8Search
from agent.models.quantize.sensitivity import Sensitivity
from devices.engines.engine import EngineRequest, Tensors
from devices.engines.host_pictures import model_pictures
from devices.engines.image_input import image_tensor
from devices.engines.model_file import read_model
from devices.engines.onnxruntime_quantised import rearranged
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.calibration_histogram import CalibrationMethod, Range
from devices.models.nncf_quantizing import quantised_by_nncf
from devices.models.onnx_whole import whole_bytes
from devices.models.qdq_folding import folded
from devices.models.qdq_layers import Layer, quantisable_layers
from devices.models.qdq_ranges import collect_ranges
from devices.models.qdq_writing import quantised

NNCF = "nncf"
EVERYWHERE, ONNXRUNTIME = "everywhere", "onnxruntime"


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        method: entropy, percentile, minmax, or nncf.
        percentile: of the distances from nought, where that is the method.
        target: "everywhere": ONNX Runtime, OpenVINO and TensorRT take the file; "onnxruntime": arranged for that one.
        most_loss: of COCO's AP.
        in_float: nodes to keep in float in any case.
        threads: of one inference.
        sees_all: take the ranges of every tensor, for a calibration cache.
    """

    method: str
    percentile: float
    target: str
    most_loss: float
    in_float: tuple[str, ...]
    threads: int
    sees_all: bool = False


@dataclass(frozen=True)
class Watch:
    """Who is told how far it is: `counted` of what, how many are done and of how many; `told` sentences."""

    counted: Callable[[str, int, int], None] = lambda _what, _done, _total: None
    told: Callable[[str], None] = lambda _sentence: None


def quantise(
    plan: DetectionPlan, pictures: CalibrationSet, order: Order, accuracy: Accuracy | None, watch: Watch
) -> tuple[Found, Mapping[str, Range]]:
    """The int8 model, and the ranges it was made from.

    Args:
        plan: of the float model.
        pictures: to take ranges from.
        order: what is asked for.
        accuracy: measures the loss, or None.
        watch: is told how far it is.

    Raises:
        ToolInputError: the model has nothing to quantise, or a node named is none of its layers.
        RefusedResultError: too much is lost.
        DevicesError: the model or a library fails.
    """
    proto = folded(plan.path)
    layers = _wanted(plan.path, quantisable_layers(proto), order.in_float)
    questions = questions_in(plan, pictures)
    tensors = set(_floats(proto)) if order.sees_all else {name for layer in layers for name in layer.activations}
    counted = partial(watch.counted, "taking ranges")
    histograms = collect_ranges(
        proto, plan.image, sorted(tensors), questions.tensors, threads=order.threads, progress=counted
    )
    method = CalibrationMethod.PERCENTILE if order.method == NNCF else CalibrationMethod(order.method)
    ranges = {name: each.range(method, order.percentile) for name, each in histograms.items()}
    sensitivity = Sensitivity(proto, plan, questions, order.threads)
    make = _maker(proto, ranges, plan, questions, order)
    search = Int8Search(make, layers, ranges, sensitivity, accuracy, watch.told)
    return search.run(order.most_loss, partial(watch.counted, "trying layers alone")), ranges


def _wanted(path: Path, layers: Sequence[Layer], in_float: Sequence[str]) -> tuple[Layer, ...]:
    if not layers:
        raise ToolInputError(f"{path}: there is no convolution or matrix product with constant float32 weights in it")
    names = [layer.name for layer in layers]
    if unknown := [name for name in in_float if name not in names]:
        raise ToolInputError(f"--keep-float {unknown[0]}: no such layer; there are {', '.join(names)}")
    return tuple(layer for layer in layers if layer.name not in in_float)


def questions_in(plan: DetectionPlan, pictures: CalibrationSet) -> Questions:
    """One inference a picture: pictures of the set are laid in already, so boxes stay in the model's pixels."""
    size_px = (plan.image.width_px, plan.image.height_px)
    whole = fit_frame(size_px, size_px, plan.preprocessing.fit)
    rows = plan.batch if plan.is_batch_fixed else 1
    tensors: list[Tensors] = []
    for picture in pictures.pixels:
        question: Tensors = {plan.image.name: np.repeat(picture[None], rows, axis=0)}
        if plan.size_input is not None:
            question[plan.size_input.name] = np.tile(np.array(size_px, plan.size_input.dtype), (rows, 1))
        tensors.append(question)
    return Questions(tuple(tensors), tuple([whole] * rows for _ in tensors))


def _maker(
    proto: onnx.ModelProto,
    ranges: Mapping[str, Range],
    plan: DetectionPlan,
    questions: Questions,
    order: Order,
) -> Callable[[Sequence[Layer]], Files]:
    if order.method == NNCF:
        inputs = _own_tensors(plan, questions)
        every = quantisable_layers(proto)

        def by_nncf(chosen: Sequence[Layer]) -> Files:
            names = {layer.name for layer in chosen}
            with tempfile.TemporaryDirectory(prefix="sitewatch-") as folder:
                in_float = [layer.name for layer in every if layer.name not in names]
                return quantised_by_nncf(proto, inputs, in_float, Path(folder))

        return by_nncf

    def by_us(chosen: Sequence[Layer]) -> Files:
        made = quantised(proto, chosen, ranges)
        if order.target == ONNXRUNTIME and not rearranged(made):
            raise RefusedResultError(f"{plan.path}: cannot be arranged for ONNX Runtime")
        return {".onnx": whole_bytes(plan.path, made)}

    return by_us


def _own_tensors(plan: DetectionPlan, questions: Questions) -> list[Tensors]:
    """The questions in the model's own tensors: what the engine does to pictures in the graph, done beforehand."""
    processor = Accelerator(AcceleratorKind.CPU, "CPU")
    tensor = image_tensor(read_model(plan.path), EngineRequest(plan.path, processor, image=plan.image))
    if tensor is None:
        return list(questions.tensors)
    name = plan.image.name
    return [{**each, name: model_pictures(tensor, each[name])} for each in questions.tensors]


def _floats(proto: onnx.ModelProto) -> list[str]:
    """Every float tensor that is computed."""
    inferred = onnx.shape_inference.infer_shapes(proto).graph
    values = [*inferred.value_info, *inferred.output, *inferred.input]
    floats = {value.name for value in values if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    computed = {name for node in proto.graph.node for name in node.output}
    return sorted(floats & (computed | {value.name for value in proto.graph.input}))
