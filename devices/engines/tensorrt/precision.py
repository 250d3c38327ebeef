"""Decides how a precision is reached: by flags where TensorRT still has them, by the model's own types elsewhere.

Found by looking, never by version. The builder flags FP16 and INT8 and the calibrator ended with TensorRT 10; strong
typing began with it. A model that is typed already (float16 weights, or Q/DQ nodes) is built as it is typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType

from devices.engines.engine import Precision
from devices.errors import EngineLoadError


@dataclass(frozen=True)
class PrecisionPlan:
    """How to build.

    Attributes:
        precision: fp32, fp16 or int8, of the computation.
        is_strong: the network takes its types from the model.
        flags: names of TensorRT's builder flags to set.
        cleared: and to clear.
        convert: what the model is turned into first, or None: "fp16", or "int8" by a calibration set.
        calibrate: TensorRT finds the int8 ranges itself, from a calibration set.
        notes: what a person should know.
    """

    precision: Precision
    is_strong: bool = False
    flags: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    convert: str | None = None
    calibrate: bool = False
    notes: tuple[str, ...] = field(default=())


def plan_precision(
    trt: ModuleType, wanted: Precision, model: str, *, on_dla: bool = False, has_calibration: bool = False
) -> PrecisionPlan:
    """How to compute in `wanted` (no AUTO) with a model whose weights are `model`: fp32, fp16 or int8.

    Raises:
        EngineLoadError: it cannot be reached; the sentence says what would.
    """
    has_flags = hasattr(trt.BuilderFlag, "FP16")
    has_strong = hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    if on_dla and wanted is Precision.FP32 and model != "int8":
        raise EngineLoadError("tensorrt: a DLA computes in fp16 or int8, not in fp32")
    if model == "int8":
        return _typed_int8(wanted, has_flags=has_flags, has_strong=has_strong, on_dla=on_dla)
    if wanted is Precision.INT8:
        return _int8(has_flags=has_flags, has_calibration=has_calibration)
    if model == "fp16":
        return _typed_fp16(wanted, has_strong=has_strong, weak_dla=on_dla and has_flags)
    if wanted is Precision.FP32:
        # TF32 rounds every factor to ten bits: an error of 1e-3, which is no fp32.
        return PrecisionPlan(wanted, is_strong=not has_flags, cleared=("TF32",))
    if has_flags:
        return PrecisionPlan(wanted, flags=("FP16",))
    return PrecisionPlan(wanted, is_strong=True, convert="fp16")


def _typed_int8(wanted: Precision, *, has_flags: bool, has_strong: bool, on_dla: bool) -> PrecisionPlan:
    notes: tuple[str, ...] = ()
    if wanted is not Precision.INT8:
        notes = (f"the model is quantised: it runs in int8, not in {wanted.value}",)
    if on_dla and has_flags:
        raise EngineLoadError(
            "tensorrt: this TensorRT's DLA takes no quantised (Q/DQ) model; give the float model and a calibration set"
        )
    if has_strong:
        return PrecisionPlan(Precision.INT8, is_strong=True, notes=notes)
    return PrecisionPlan(Precision.INT8, flags=("INT8", "FP16"), notes=notes)


def _typed_fp16(wanted: Precision, *, has_strong: bool, weak_dla: bool) -> PrecisionPlan:
    notes = ("the model's weights are float16: it runs in fp16",) if wanted is Precision.FP32 else ()
    if has_strong and not weak_dla:
        return PrecisionPlan(Precision.FP16, is_strong=True, notes=notes)
    return PrecisionPlan(Precision.FP16, flags=("FP16",), notes=notes)


def _int8(*, has_flags: bool, has_calibration: bool) -> PrecisionPlan:
    if not has_calibration:
        raise EngineLoadError(
            "tensorrt: int8 needs a quantised model (symmetric Q/DQ nodes), or a calibration set: pictures of the site"
        )
    if has_flags:
        return PrecisionPlan(Precision.INT8, flags=("INT8", "FP16"), calibrate=True)
    return PrecisionPlan(Precision.INT8, is_strong=True, convert="int8")
