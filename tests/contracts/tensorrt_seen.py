"""Run beside real bindings: prints as JSON what they have, and what the adapter makes of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorrt_bindings as trt  # type: ignore[import-not-found]  # on the path of this interpreter only
from fakes.cuda_fake import make_pycuda

from devices.engines.engine import Precision
from devices.engines.tensorrt.calibration import CalibrationFeed, make_calibrator
from devices.engines.tensorrt.cuda_driver import CudaError
from devices.engines.tensorrt.cuda_thread import CudaThread
from devices.engines.tensorrt.dtypes import numpy_dtype
from devices.engines.tensorrt.loaded import LoadedEngine
from devices.engines.tensorrt.logger import LogLines, make_logger
from devices.engines.tensorrt.precision import plan_precision
from devices.engines.tensorrt.profiles import profile_count, shared_profiles
from devices.engines.tensorrt.progress import Phases, make_monitor
from devices.engines.tensorrt.pycuda_driver import PycudaDriver
from devices.errors import DevicesError


def main() -> None:
    """Print everything."""
    seen = {"version": trt.__version__, "classes": _classes(json.loads(sys.argv[1])), "members": _members()}
    seen["adapter"] = {"runtime": _runtime_error(), "monitor": _monitor(), "calibrator": _calibrator()}
    models = ("fp32", "int8")
    seen["plans"] = {f"{wanted.value} of {model}": _plan(wanted, model) for wanted in Precision for model in models}
    seen["profiles"] = [profile_count(trt, 3), shared_profiles(trt) is not None]
    seen["dtypes"] = {name: _dtype(kind) for name, kind in trt.DataType.__members__.items()}
    print(json.dumps(seen))  # noqa: T201 - it is a script


def _classes(wanted: dict[str, list[str]]) -> dict[str, dict[str, str | None] | None]:
    """Each class, or None; each of its names with its documentation, or None."""
    found: dict[str, dict[str, str | None] | None] = {}
    for cls, names in wanted.items():
        real = getattr(trt, cls, None)
        found[cls] = None if real is None else {name: _doc(real, name) for name in names}
    return found


def _doc(real: Any, name: str) -> str | None:
    if name == "__init__":
        return str(real.__init__.__doc__)
    return str(getattr(real, name).__doc__) if hasattr(real, name) else None


def _members() -> dict[str, list[str]]:
    kinds = {name: getattr(trt, name) for name in dir(trt) if hasattr(getattr(trt, name), "__members__")}
    return {**{name: list(kind.__members__) for name, kind in kinds.items()},
            "Severity": list(trt.ILogger.Severity.__members__)}  # fmt: skip


def _runtime_error() -> list[str]:
    """The libraries answer null: the adapter's sentence, and that its logger is one."""
    lines = LogLines()
    logger = make_logger(trt, lines)
    logger.log(trt.ILogger.Severity.ERROR, "CUDA  initialization failure")
    thread = _thread()
    loaded = LoadedEngine(trt, thread, thread.start(), lines)
    try:
        loaded.start(None)
    except CudaError as error:
        return [str(error), type(logger).__mro__[1].__name__]
    finally:
        loaded.release(None)
    return ["it started"]


def _thread() -> CudaThread:
    sys.modules["pycuda"] = package = type(sys)("pycuda")
    sys.modules["pycuda.driver"] = package.driver = make_pycuda()
    return CudaThread(PycudaDriver(0), "cuda")


def _monitor() -> list[Any]:
    told: list[Any] = []
    monitor = make_monitor(trt, Phases(lambda step, fraction: told.append([step, fraction])))
    if monitor is not None:
        monitor.phase_start("Building", None, 2)
        told.append(monitor.step_complete("Building", 0))
        monitor.phase_finish("Building")
    return told


def _calibrator() -> list[Any] | None:
    if not hasattr(trt, "IInt8EntropyCalibrator2"):
        return None
    driver = PycudaDriver(0)
    _thread()
    driver.open()
    batches = iter([np.zeros((2, 3), np.float32)])
    calibrator = make_calibrator(trt, CalibrationFeed(batches, driver), Path("/nowhere"))
    answers = [calibrator.get_batch_size(), len(calibrator.get_batch(["x"])), calibrator.get_batch(["x"])]
    return [*answers, isinstance(calibrator, trt.IInt8EntropyCalibrator2)]


def _plan(wanted: Precision, model: str) -> Any:
    try:
        plan = plan_precision(trt, wanted, model, has_calibration=True)
    except DevicesError as error:
        return str(error)
    return [plan.precision.value, plan.is_strong, list(plan.flags), plan.convert, plan.calibrate]


def _dtype(kind: Any) -> str | None:
    try:
        return numpy_dtype("x", kind).name
    except DevicesError:
        return None


if __name__ == "__main__":
    main()
