"""Which run-times and accelerators can take a model, and which operators stop them: asked where installed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devices.models.onnx_asked import NPU_COMPILER, Asked, ask_onnxruntime, ask_openvino
from devices.models.onnx_conditions import why_not
from devices.models.onnx_layers import Layer
from devices.models.onnx_multiplications import multiply_adds
from devices.models.onnx_operator_tables import NPU, TABLES
from devices.models.onnx_shapes import Shape

TAKES, PARTLY, REFUSES, UNKNOWN = "takes", "partly", "refuses", "unknown"


@dataclass(frozen=True)
class Stop:
    """Operators that stop a target, all for one reason.

    Attributes:
        operator: its kind; OpenVINO's own name where OpenVINO tells it.
        count: how many.
        reason: a clause.
        example: the name of one of them; "" where that is not told.
    """

    operator: str
    count: int
    reason: str
    example: str = ""


@dataclass(frozen=True)
class Target:
    """One run-time or accelerator.

    Attributes:
        name: of the run-time or accelerator.
        verdict: "takes", "partly" (the rest runs elsewhere), "refuses" or "unknown".
        source: "asked here", or whose table it is, of when.
        note: what else a person should know.
        stops: what does not run there, most first.
        operators_share: of the operators that are computed at all, the part it takes.
        multiply_adds_share: the same of multiply-adds; None where they are not known.
    """

    name: str
    verdict: str
    source: str
    note: str = ""
    stops: tuple[Stop, ...] = ()
    operators_share: float | None = None
    multiply_adds_share: float | None = None


@dataclass(frozen=True, eq=False)
class Examined:
    """What is known of the model by now.

    Attributes:
        path: of the file.
        opset: of ONNX's own operators.
        inputs: the shapes it was examined with, by input; empty where they are not known.
        open_inputs: names of inputs that leave an axis open.
        layers: its operators.
    """

    path: Path
    opset: int
    inputs: Mapping[str, Shape]
    open_inputs: tuple[str, ...]
    layers: tuple[Layer, ...]


def find_targets(model: Examined) -> tuple[Target, ...]:
    """Every target, run-times installed here first."""
    return tuple(_targets(model))


def _targets(model: Examined) -> Iterator[Target]:
    asked = ask_onnxruntime(model.path)
    if asked is not None:
        yield _as_target(asked)
    from_openvino = ask_openvino(model.path, model.inputs)
    yield from (_as_target(each) for each in from_openvino if each.device != NPU_COMPILER)
    if not from_openvino:
        yield _by_table("OpenVINO", "openvino", model)
    tensorrt = _tensorrt(model)
    yield tensorrt
    yield _dla(tensorrt, model)
    yield _shared("Core ML, through ONNX Runtime", "coreml", "runs on the processor", model)
    yield _npu(from_openvino)


def _as_target(asked: Asked) -> Target:
    stops = _named(asked.left, "not supported")
    where = "processor" if asked.device == "CPU" else asked.device
    verdict = TAKES if asked.takes else (PARTLY if stops else REFUSES)
    return Target(f"{asked.runtime}, {where}", verdict, "asked here", asked.reason, stops)


def _tensorrt(model: Examined) -> Target:
    table = TABLES["tensorrt"]
    least, most = table.least_opset or 0, table.most_opset or model.opset
    if not least <= model.opset <= most:
        note = f"operator set {model.opset}; it reads {least} to {most}"
        return Target("TensorRT", REFUSES, table.source, note)
    return _by_table("TensorRT", "tensorrt", model)


def _dla(tensorrt: Target, model: Examined) -> Target:
    """It is built for by TensorRT, which has to read the model first."""
    name = "NVIDIA DLA (Jetson Orin)"
    if tensorrt.verdict == REFUSES:
        return Target(name, REFUSES, TABLES["dla"].source, "TensorRT, which builds for it, does not read the model")
    return _shared(name, "dla", "runs on the GPU", model)


def _by_table(name: str, table: str, model: Examined) -> Target:
    stops = _stops(table, model.layers)
    return Target(name, REFUSES if stops else TAKES, TABLES[table].source, stops=stops)


def _shared(name: str, table: str, elsewhere: str, model: Examined) -> Target:
    """One that takes a part of a model and leaves the rest to another."""
    source = TABLES[table].source
    if not model.inputs:
        return Target(name, UNKNOWN, source, "it wants fixed shapes: give them with --shape")
    computed = [layer for layer in model.layers if not layer.is_folded]
    left = [layer for layer in computed if why_not(table, layer)]
    note = "what it does not take " + elsewhere if left else ""
    if model.open_inputs:
        note = "; ".join(["with fixed shapes only: " + ", ".join(model.open_inputs), *([note] if note else [])])
    verdict = TAKES if not left else (PARTLY if len(left) < len(computed) else REFUSES)
    share = 1 - len(left) / max(1, len(computed))
    return Target(name, verdict, source, note, _stops(table, computed), share, _work_share(computed, left))


def _npu(from_openvino: Sequence[Asked]) -> Target:
    name = "Intel NPU"
    asked = next((each for each in from_openvino if each.device == NPU_COMPILER), None)
    if asked is None:
        note = "not known: it needs OpenVINO, which is not installed or does not read the model"
        return Target(name, UNKNOWN, NPU.source, note)
    verdict = TAKES if asked.takes else REFUSES
    note = asked.reason or (
        "" if asked.left else "its compiler reads every operation; whether it compiles them, an NPU tells"
    )
    return Target(name, verdict, NPU.source, note, _named(asked.left, "not read by its compiler"))


def _stops(table: str, layers: Sequence[Layer]) -> tuple[Stop, ...]:
    found: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for layer in layers:
        if not layer.is_folded and (reason := why_not(table, layer)):
            found[layer.kind, reason] += 1
            examples.setdefault((layer.kind, reason), layer.name)
    return tuple(Stop(*key[:1], count, key[1], examples[key]) for key, count in found.most_common())


def _named(left: Mapping[str, int], reason: str) -> tuple[Stop, ...]:
    return tuple(Stop(kind, count, reason) for kind, count in sorted(left.items(), key=lambda each: -each[1]))


def _work_share(computed: Sequence[Layer], left: Sequence[Layer]) -> float | None:
    whole, rest = ([multiply_adds(layer) for layer in each] for each in (computed, left))
    if None in whole:
        return None
    total = sum(count or 0 for count in whole)
    return 1 - sum(count or 0 for count in rest) / total if total else None
