"""Turns an ONNX file into a TensorRT plan, as the order says; runs in the build process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.host_pictures import write_pictures
from devices.engines.image_graph import PICTURES
from devices.engines.image_input import ImageTensor
from devices.engines.tensorrt.builder_config import (
    add_profiles,
    configure,
    keep_timing,
    network_flags,
    use_timing_cache,
)
from devices.engines.tensorrt.calibration import CalibrationFeed, make_calibrator, read_pictures
from devices.engines.tensorrt.cuda_driver import CudaDriver, CudaFacts
from devices.engines.tensorrt.dla import dla_note, layers_on_dla
from devices.engines.tensorrt.logger import LogLines, TrtObject, make_logger
from devices.engines.tensorrt.order import CALIBRATION, MODEL, PLAN, BuildOrder
from devices.engines.tensorrt.progress import Phases, make_monitor
from devices.engines.tensorrt.typed_model import as_fp16, as_int8
from devices.errors import EngineLoadError

Tell = Callable[..., None]


def build_plan(
    trt: ModuleType, order: BuildOrder, folder: Path, driver: CudaDriver, facts: CudaFacts, tell: Tell
) -> tuple[str, ...]:
    """Write the plan and the caches into the folder; gives what a person should know.

    Raises:
        EngineLoadError: TensorRT refuses; with its own errors.
    """
    lines = LogLines(lambda severity, text: tell(log=text, severity=severity))
    logger = make_logger(trt, lines)
    tell(step="starting TensorRT", fraction=None)
    try:
        builder = trt.Builder(logger)
    except TypeError as error:  # what the binding makes of a library that could not start
        raise EngineLoadError(f"tensorrt: the builder does not start: {lines.why()}") from error
    network = builder.create_network(network_flags(trt, order))
    config = builder.create_builder_config()
    configure(trt, config, order, facts)
    _parse(trt, network, config, logger, order, folder)
    add_profiles(builder, config, order)
    timing = use_timing_cache(config, folder)
    monitor = _monitor(trt, config, tell)
    tell(step="building the engine", fraction=None)
    with _calibration(trt, config, network, order, folder, driver):
        plan = builder.build_serialized_network(network, config)
    del monitor
    if plan is None:
        raise EngineLoadError(f"tensorrt: no engine was built: {lines.why()}")
    content = bytes(plan)
    (folder / PLAN).write_bytes(content)
    keep_timing(config, timing, folder)
    return _notes(trt, logger, content, order, config, network)


def _parse(
    trt: ModuleType, network: TrtObject, config: TrtObject, logger: TrtObject, order: BuildOrder, folder: Path
) -> None:
    parser = trt.OnnxParser(network, logger)
    if order.dla_core is not None and hasattr(trt.OnnxParserFlag, "ADJUST_FOR_DLA"):
        parser.set_builder_config(config)
        parser.set_flag(trt.OnnxParserFlag.ADJUST_FOR_DLA)
    if not parser.parse(_typed(order, folder)):
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        told = "; ".join(f"node {error.node()}: {error.desc()}" for error in errors[:3])
        raise EngineLoadError(f"tensorrt does not take the model: {told or 'the parser gives no reason'}")


def _typed(order: BuildOrder, folder: Path) -> bytes:
    content = (folder / MODEL).read_bytes()
    if order.convert == "fp16":
        return as_fp16(content)
    if order.convert == "int8" and order.calibration_set is not None and order.image is not None:
        pictures = read_pictures(Path(order.calibration_set), order.image.pictures.shape)
        return as_int8(content, PICTURES, pictures, folder)
    return content


@contextlib.contextmanager
def _calibration(
    trt: ModuleType, config: TrtObject, network: TrtObject, order: BuildOrder, folder: Path, driver: CudaDriver
) -> Iterator[None]:
    """While TensorRT builds it finds the int8 ranges, where the order says so."""
    if not order.calibrate or order.calibration_set is None or order.image is None:
        yield
        return
    name = network.get_input(0).name
    batch = order.profiles[name][1][0] if name in order.profiles else network.get_input(0).shape[0]
    pictures = read_pictures(Path(order.calibration_set), (batch, *order.image.pictures.shape[1:]))
    feed = CalibrationFeed(_tensors(order.image, pictures), driver)
    config.int8_calibrator = make_calibrator(trt, feed, folder / CALIBRATION)
    try:
        yield
    finally:
        feed.close()


def _tensors(tensor: ImageTensor, pictures: Iterator[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[Any]]:
    for each in pictures:
        target = np.empty([axis or 1 for axis in (len(each), *tensor.spec.shape[1:])], tensor.spec.dtype)
        write_pictures(tensor, each, target)
        yield target


def _notes(
    trt: ModuleType, logger: TrtObject, plan: bytes, order: BuildOrder, config: TrtObject, network: TrtObject
) -> tuple[str, ...]:
    if order.dla_core is None:
        return ()
    planned = layers_on_dla(config, network)
    runtime = trt.Runtime(logger)
    runtime.DLA_core = order.dla_core
    engine = runtime.deserialize_cuda_engine(plan)
    told = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON) if engine else ""
    return (dla_note(order.dla_core, planned, told),)


def _monitor(trt: ModuleType, config: TrtObject, tell: Tell) -> TrtObject:
    monitor = make_monitor(trt, Phases(lambda step, fraction: tell(step=step, fraction=fraction)))
    if monitor is not None:
        config.progress_monitor = monitor
    return monitor
