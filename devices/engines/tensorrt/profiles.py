"""Which shapes an engine is built for: TensorRT wants a least, a usual and a largest size of every open axis."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from devices.engines.engine import TensorSpec
from devices.errors import EngineLoadError

Shapes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Least, usual, largest."""

# Axes other than the batch are open only where no picture size fixes them.
_OTHER_AXES = (1, 256, 1024)


def profile_shapes(inputs: Sequence[TensorSpec], largest_batch: int, *, on_dla: bool) -> dict[str, Shapes]:
    """Least, usual and largest shape of every input that leaves an axis open; empty where all is fixed.

    Raises:
        EngineLoadError: a DLA takes fixed shapes only.
    """
    found = {spec.name: _shapes(spec, largest_batch) for spec in inputs if None in spec.shape}
    if found and on_dla:
        raise EngineLoadError(f"tensorrt: a DLA takes fixed shapes only; {', '.join(found)} leaves its size open")
    return found


def profile_count(trt: ModuleType, sessions: int) -> int:
    """Profiles that sessions with open shapes need at once.

    One where contexts may share it: by a preview feature in 8.6 to 10, always since. 8.5 wants one each.
    """
    may_share = shared_profiles(trt) is not None or hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    return 1 if may_share else max(1, sessions)


def shared_profiles(trt: ModuleType) -> object | None:
    """The preview feature by which contexts share a profile, or None where there is none (before 8.6, or needless)."""
    return getattr(trt.PreviewFeature, "PROFILE_SHARING_0806", None)


def _shapes(spec: TensorSpec, largest_batch: int) -> Shapes:
    batch = (1, max(1, largest_batch // 4), largest_batch)
    choices = [
        (axis,) * 3 if axis is not None else batch if index == 0 else _OTHER_AXES
        for index, axis in enumerate(spec.shape)
    ]
    least, usual, largest = zip(*choices, strict=True)
    return least, usual, largest
