"""Runs a model on calibration pictures and keeps what values its tensors take."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import onnx

from devices.engines.engine import ImageInput, Tensors
from devices.models.calibration_histogram import Histogram
from devices.models.onnx_running import OnnxRun
from devices.models.onnx_whole import whole_bytes

_OF_INPUT = "sitewatch.seen."


def collect_ranges(
    proto: onnx.ModelProto,
    image: ImageInput,
    tensors: Iterable[str],
    questions: Sequence[Tensors],
    *,
    threads: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Histogram]:
    """Values of each of `tensors` over all questions.

    Args:
        proto: the float model.
        image: how its picture is made of uint8 pictures.
        tensors: names of float tensors of the graph.
        questions: one inference each, as an engine made with `image` takes them.
        threads: of one inference.
        progress: is told after every question.

    Raises:
        DevicesError: the model does not run.
    """
    histograms = {name: Histogram() for name in tensors}
    with tempfile.TemporaryDirectory(prefix="sitewatch-") as folder:
        path = Path(folder) / "observed.onnx"
        path.write_bytes(whole_bytes(path, _observed(proto, histograms)))
        run = OnnxRun(path, image, optimised=True, threads=threads)
        for done, question in enumerate(questions, start=1):
            answers = run.answer(question)
            for name, histogram in histograms.items():
                histogram.add(answers[name] if name in answers else answers[_OF_INPUT + name])
            progress(done, len(questions))
    return histograms


def _observed(proto: onnx.ModelProto, tensors: Iterable[str]) -> onnx.ModelProto:
    """The model with these tensors among its outputs."""
    observed = onnx.ModelProto()
    observed.CopyFrom(proto)
    there = {value.name for value in observed.graph.output}
    inputs = {value.name for value in observed.graph.input}
    for name in tensors:
        if name in there:
            continue
        if name in inputs:  # an input cannot be an output: a node in between
            node = onnx.helper.make_node("Identity", [name], [_OF_INPUT + name], name=_OF_INPUT + name)
            observed.graph.node.append(node)
        seen = _OF_INPUT + name if name in inputs else name
        observed.graph.output.append(onnx.helper.make_tensor_value_info(seen, onnx.TensorProto.FLOAT, None))
    return observed
