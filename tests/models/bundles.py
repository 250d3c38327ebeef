"""Bundles of small real detectors, and the same with lies in them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from clips.rendered import draw
from models.detecting import SQUARES
from models.square_detectors import build_detector
from onnx import helper, numpy_helper

from agent.models.bundle.archive_writing import write_archive
from agent.models.bundle.manifest import MANIFEST
from agent.models.bundle.packing import Contents, make_parts
from agent.settings.models import DetectionSettings, ModelSettings

PICTURE_PX = (640, 360)


def make_bundle(
    path: Path,
    family: str = "yolov8",
    *,
    model: Mapping[str, Any] | None = None,
    detection: Mapping[str, Any] | None = None,
    input_size: int = 160,
    **contents: Any,
) -> Path:
    """Pack a detector of red and blue squares, with a golden picture that has one of each.

    Args:
        path: of the bundle; the detector is written beside it.
        family: one of `models.square_detectors.FAMILIES`.
        model: keys of the model section.
        detection: keys of the detection section.
        input_size: side of the model's picture.
        contents: in place of what is packed otherwise.
    """
    detector = build_detector(family, path.with_suffix(".onnx"), input_size=input_size, frame_px=PICTURE_PX)
    settings = ModelSettings.model_validate({"path": detector, "labels": ("red", "blue"), **(model or {})})
    packed = {
        "name": "squares",
        "models": (detector,),
        "settings": settings,
        "detection": DetectionSettings.model_validate(detection or {}),
        "pictures": (draw(SQUARES, PICTURE_PX, seed=0),),
        "licence": "Apache-2.0",
        **contents,
    }
    with path.open("wb") as file:
        write_archive(file, make_parts(Contents(**packed)).contents)
    return path


def quantised(path: Path, to: Path) -> Path:
    """The same detector, its picture rounded to whole numbers of 8 bits, which it was before: an int8 model."""
    model = onnx.load(str(path))
    for node in model.graph.node:
        node.input[:] = ["rounded" if name == "images" else name for name in node.input]
    for name, value in {"step": np.array(1 / 255, np.float32), "zero": np.array(0, np.uint8)}.items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    nodes = [
        helper.make_node("QuantizeLinear", ["images", "step", "zero"], ["whole"]),
        helper.make_node("DequantizeLinear", ["whole", "step", "zero"], ["rounded"]),
    ]
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    onnx.save(model, str(to))
    return to


def parts_of(path: Path) -> dict[str, bytes]:
    """Every part, as any zip tool gives it."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(path: Path) -> Any:
    """The manifest, to look at."""
    return json.loads(parts_of(path)[MANIFEST])


def with_lie(
    path: Path,
    parts: Mapping[str, bytes] | None = None,
    tell: Callable[[Any], object] = lambda _manifest: None,
) -> Path:
    """Pack a bundle anew, every digest right, with other parts or another manifest; in place.

    Args:
        path: of the bundle.
        parts: in place of its own.
        tell: changes the manifest, after the digests were put right.
    """
    found = {**parts_of(path), **(parts or {})}
    manifest = json.loads(found.pop(MANIFEST))
    manifest["parts"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in found.items()
    }
    tell(manifest)
    with io.BytesIO() as file:
        write_archive(file, {MANIFEST: json.dumps(manifest).encode(), **found})
        path.write_bytes(file.getvalue())
    return path
