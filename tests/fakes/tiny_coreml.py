"""Core ML models of an operation or two, made by coremltools' own builder; for the environment where it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder
from coremltools.converters.mil.mil import get_new_symbol, types

IOS = ct.target.iOS16


def save(program: Any, path: Path, *, half: bool = False, **more: Any) -> Path:
    """Convert to an ML program and save it."""
    precision = ct.precision.FLOAT16 if half else ct.precision.FLOAT32
    made = ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=IOS,
        compute_precision=precision,
        skip_model_load=True,
        **more,
    )
    made.user_defined_metadata["names"] = "{0: 'person'}"
    made.save(str(path))
    return path


def doubled(folder: Path, *, half: bool = False) -> Path:
    """Twice x plus one."""

    @Builder.program(input_specs=[Builder.TensorSpec(shape=(1, 3, 4, 5), dtype=types.fp32)], opset_version=IOS)
    def program(x: Any) -> Any:
        return Builder.add(x=Builder.mul(x=x, y=np.float32(2)), y=np.float32(1), name="y")

    return save(program, folder / "doubled.mlpackage", half=half)


def seen(folder: Path, *, as_picture: bool, order: str = "RGB") -> Path:
    """The image tensor as it came, from a picture or a tensor."""

    @Builder.program(input_specs=[Builder.TensorSpec(shape=(1, 3, 6, 8), dtype=types.fp32)], opset_version=IOS)
    def program(image: Any) -> Any:
        return Builder.relu(x=image, name="seen")

    layout = ct.colorlayout.RGB if order == "RGB" else ct.colorlayout.BGR
    picture = ct.ImageType(name="image", shape=(1, 3, 6, 8), scale=1 / 255, color_layout=layout)
    name = "picture" if as_picture else "tensor"
    return save(program, folder / f"{name}.mlpackage", **({"inputs": [picture]} if as_picture else {}))


def open_batch(folder: Path) -> Path:
    """A batch from 1 to 4."""

    @Builder.program(
        input_specs=[Builder.TensorSpec(shape=(get_new_symbol(), 3, 6, 8), dtype=types.fp32)], opset_version=IOS
    )
    def program(image: Any) -> Any:
        return Builder.relu(x=image, name="seen")

    shape = ct.Shape(shape=(ct.RangeDim(1, 4), 3, 6, 8))
    return save(program, folder / "open.mlpackage", inputs=[ct.TensorType(name="image", shape=shape)])


def compiled(folder: Path) -> Path:
    """What Core ML's compiler leaves beside a compiled model, as far as it is read."""
    path = folder / "made.mlmodelc"
    path.mkdir()
    tensor = {"dataType": "Float32", "shape": "[1, 3, 4, 5]", "type": "MultiArray", "hasShapeFlexibility": "0"}
    picture = {"type": "Image", "width": "8", "height": "6", "colorspace": "RGB", "name": "image"}
    described = {
        "metadataOutputVersion": "3.0", "inputSchema": [picture], "outputSchema": [{**tensor, "name": "y"}],
        "userDefinedMetadata": {"names": "{0: 'person'}"}, "computePrecision": "Mixed (Float16, Int32)",
    }  # fmt: skip
    (path / "metadata.json").write_text(json.dumps([described]), encoding="utf-8")
    (path / "name").write_text("made", encoding="utf-8")
    return path
