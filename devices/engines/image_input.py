"""Checks that pictures can be fed to a model's image input, and says how that input lies in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devices.engines.engine import EngineRequest, ImageInput, TensorSpec
from devices.engines.model_file import ModelFile
from devices.errors import EngineLoadError

_DTYPES = ("float32", "float16", "uint8")


@dataclass(frozen=True)
class ImageTensor:
    """A model's own image input, checked against the pictures it will get.

    Attributes:
        spec: as the model declares it, with height, width and batch fixed as far as known.
        layout: "NCHW" or "NHWC".
        image: the pictures.
    """

    spec: TensorSpec
    layout: str
    image: ImageInput

    @property
    def pictures(self) -> TensorSpec:
        """What is fed instead: uint8 (N, height, width, 3)."""
        shape = (self.spec.shape[0], self.image.height_px, self.image.width_px, 3)
        return TensorSpec(name=self.spec.name, dtype="uint8", shape=shape)

    @property
    def is_scaled(self) -> bool:
        """Whether mean or scale change anything."""
        return self.has_mean or any(scale != 1.0 for scale in self.image.scale)

    @property
    def has_mean(self) -> bool:
        """Whether a mean is taken off."""
        return any(mean != 0.0 for mean in self.image.mean)


def image_tensor(model: ModelFile, request: EngineRequest) -> ImageTensor | None:
    """The model's image input, or None where the request takes the model's tensors as they are.

    Raises:
        EngineLoadError: the model has no such input, or it does not take such pictures.
    """
    image = request.image
    if image is None:
        return None
    spec = next((spec for spec in model_inputs(model, request) if spec.name == image.name), None)
    if spec is None:
        names = ", ".join(spec.name for spec in model.inputs)
        raise EngineLoadError(f"{model.path}: has no input {image.name}; its inputs are {names}")
    layout = _layout(model, spec)
    height, width = spec.shape[2:] if layout == "NCHW" else spec.shape[1:3]
    if height not in (None, image.height_px) or width not in (None, image.width_px):
        raise EngineLoadError(
            f"{model.path}: input {spec.name} is fixed at {width}x{height} (width x height), "
            f"but pictures of {image.width_px}x{image.height_px} were asked for"
        )
    _check_values(model, spec, image)
    size = (image.height_px, image.width_px)
    shape = (spec.shape[0], 3, *size) if layout == "NCHW" else (spec.shape[0], *size, 3)
    return ImageTensor(spec=replace(spec, shape=shape), layout=layout, image=image)


def model_inputs(model: ModelFile, request: EngineRequest) -> tuple[TensorSpec, ...]:
    """The model's own inputs, their open first axes fixed at the batch asked for."""
    return tuple(
        replace(spec, shape=(request.batch, *spec.shape[1:]))
        if request.batch is not None and spec.shape and spec.shape[0] is None
        else spec
        for spec in model.inputs
    )


def engine_inputs(model: ModelFile, request: EngineRequest) -> tuple[TensorSpec, ...]:
    """What a session takes: the model's inputs, pictures in the image input's place."""
    tensor = image_tensor(model, request)
    return tuple(
        tensor.pictures if tensor is not None and spec.name == tensor.spec.name else spec
        for spec in model_inputs(model, request)
    )


def _layout(model: ModelFile, spec: TensorSpec) -> str:
    if len(spec.shape) == 4 and spec.shape[1] == 3:
        return "NCHW"
    if len(spec.shape) == 4 and spec.shape[3] == 3:
        return "NHWC"
    if len(spec.shape) == 4 and spec.shape[1] is None:
        return "NCHW"  # all open: the layout nearly every exporter writes
    raise EngineLoadError(
        f"{model.path}: input {spec.name} takes {shape_text(spec)}; "
        "an image input takes (N, 3, height, width) or (N, height, width, 3)"
    )


def _check_values(model: ModelFile, spec: TensorSpec, image: ImageInput) -> None:
    if spec.dtype not in _DTYPES:
        raise EngineLoadError(
            f"{model.path}: input {spec.name} takes {spec.dtype}; an image input takes {', '.join(_DTYPES)}"
        )
    if image.order not in ("rgb", "bgr"):
        raise EngineLoadError(f"{model.path}: colour order {image.order!r}; it is rgb or bgr")
    if any(scale == 0.0 for scale in image.scale):
        raise EngineLoadError(f"{model.path}: a scale of 0 would make every picture black")
    if spec.dtype == "uint8" and (any(image.mean) or any(scale != 1.0 for scale in image.scale)):
        raise EngineLoadError(f"{model.path}: input {spec.name} takes uint8, so mean must be 0 0 0 and scale 1 1 1")


def shape_text(spec: TensorSpec) -> str:
    """A spec for a person: "float32 (N, 3, 416, 416)", open axes as "?"."""
    axes = ", ".join("?" if axis is None else str(axis) for axis in spec.shape)
    return f"{spec.dtype} ({axes}{',' if len(spec.shape) == 1 else ''})"
