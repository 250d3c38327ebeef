"""A model's family is told from what it takes and gives; what is not clear is refused with what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from agent.detect.decoders.families import FAMILIES
from agent.detect.decoders.grid import Head, cell_count, cells, head_kind
from agent.detect.decoders.signature import Signature
from agent.detect.labels import names_in
from agent.detect.recognition import recognise
from agent.errors import ModelError
from devices.engines.engine import TensorSpec

SIDE = 320
CELLS = cell_count(SIDE, SIDE)
IMAGE = TensorSpec("images", "float32", (1, 3, SIDE, SIDE))
SIZES = TensorSpec("orig_target_sizes", "int64", (1, 2))
NAMES = {"names": "{0: 'red', 1: 'blue'}", "task": "detect"}
Array = npt.NDArray[Any]


def signature(outputs: Mapping[str, Array], *extra: TensorSpec, metadata: Mapping[str, str] | None = None) -> Signature:
    """What is known of a model that gave these outputs."""
    specs = tuple(TensorSpec(name, array.dtype.name, array.shape) for name, array in outputs.items())
    metadata = metadata or {}
    return Signature((IMAGE, *extra), specs, outputs, metadata, names_in(metadata), SIDE, SIDE)


def zeros(*shape: int, dtype: str = "float32") -> Array:
    """An output that saw nothing."""
    return np.zeros(shape, dtype)


def raw_head(classes: int = 2) -> Array:
    """Offsets from cells, as YOLOX gives them."""
    table = np.random.default_rng(0).normal(0, 0.5, (1, CELLS, 5 + classes)).astype(np.float32)
    table[..., 4:] = 0.01
    return table


def decoded_head(classes: int = 2) -> Array:
    """Boxes in pixels, one a cell."""
    places, strides = cells(SIDE, SIDE)
    table = raw_head(classes)
    table[0, :, :2] = (table[0, :, :2] + places + 0.5) * strides
    table[0, :, 2:4] = strides * 2
    return table


def nanodet_heads(classes: int = 2) -> dict[str, Array]:
    """Scores and distances of three strides."""
    counts = {stride: (SIDE // stride) ** 2 for stride in (8, 16, 32)}
    scores = {f"cls_pred_stride_{stride}": zeros(1, count, classes) for stride, count in counts.items()}
    return scores | {f"dis_pred_stride_{stride}": zeros(1, count, 32) for stride, count in counts.items()}


def detr_outputs() -> dict[str, Array]:
    """Labels, boxes and scores of a hundred queries."""
    return {"labels": zeros(1, 100, dtype="int64"), "boxes": zeros(1, 100, 4), "scores": zeros(1, 100)}


KNOWN = {
    "yolox": (signature({"output": raw_head()}), 2),
    "yolox, labels noted": (signature({"output": raw_head()}, metadata=NAMES), 2),
    "yolox, one class": (signature({"output": raw_head(1)}), 1),
    "yolov5, one row a cell, labels noted": (signature({"output0": decoded_head()}, metadata=NAMES), 2),
    "yolov5, three rows a cell": (signature({"output0": zeros(1, 3 * CELLS, 85)}), 80),
    "yolov5, raw heads beside": (
        signature({"output0": zeros(1, 3 * CELLS, 7), "p3": zeros(1, 3, 40, 40, 7), "p4": zeros(1, 3, 20, 20, 7)}),
        2,
    ),
    "yolov8": (signature({"output0": zeros(1, 84, CELLS)}), 80),
    "yolov8, one class": (signature({"output0": zeros(1, 5, CELLS)}), 1),
    "yolov8, four strides": (signature({"output0": zeros(1, 6, cell_count(SIDE, SIDE, (8, 16, 32, 64)))}), 2),
    "end2end": (signature({"output0": zeros(1, 300, 6)}), None),
    "end2end, labels noted": (signature({"output0": zeros(1, 300, 6)}, metadata=NAMES), 2),
    "detr": (signature(detr_outputs(), SIZES), None),
    "nanodet": (signature(nanodet_heads()), 2),
}


@pytest.mark.parametrize("case", KNOWN)
def test_each_layout_is_known(case: str) -> None:
    """Shapes, metadata and values tell the family and the number of classes."""
    known, class_count = KNOWN[case]

    family, match = recognise(known)

    assert family.name == case.split(",", maxsplit=1)[0]
    assert match.class_count == class_count


@pytest.mark.parametrize("case", KNOWN)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_that_is_named_must_fit(case: str, family: Any) -> None:
    """The site file's word is taken where it can be true, else refused with what that family expects."""
    known, _ = KNOWN[case]
    fits = {case.split(",", maxsplit=1)[0]} | ({"yolox"} if case.startswith("yolov5, one row") else set())
    if family.name in fits:
        assert recognise(known, family.name)[0] is family
        return

    with pytest.raises(ModelError, match=f"not of the family {family.name}") as caught:
        recognise(known, family.name)

    assert family.expects in str(caught.value)


def test_a_decoded_head_without_notes_is_not_guessed() -> None:
    """It may be YOLOX or YOLOv5, which are fed differently: the operator must say."""
    unclear = signature({"output": decoded_head()})

    with pytest.raises(ModelError, match=r"may be yolox or yolov5: .* set model\.family"):
        recognise(unclear)

    assert recognise(unclear, "yolox")[0].name == "yolox"
    assert recognise(unclear, "yolov5")[0].name == "yolov5"


UNKNOWN = {
    "a classifier": signature({"logits": zeros(1, 1000)}),
    "a segmenter": signature({"output0": zeros(1, 116, CELLS), "output1": zeros(1, 32, 80, 80)}),
    "another task": signature({"output0": zeros(1, 56, CELLS)}, metadata={"task": "pose"}),
    "rows that match no grid": signature({"output": zeros(1, 1234, 85)}),
    "scores beyond one": signature({"output0": np.full((1, 84, CELLS), 5.0, np.float32)}),
    "boxes without their unit": signature(detr_outputs()),
    "queries that differ": signature(detr_outputs() | {"scores": zeros(1, 99)}, SIZES),
    "a stride without sides": signature({k: v for k, v in nanodet_heads().items() if k != "dis_pred_stride_16"}),
    "heads of another size": signature(nanodet_heads() | {"cls_pred_stride_8": zeros(1, 7, 2)}),
    "class numbers that are none": signature({"output0": np.full((1, 300, 6), 0.5, np.float32)}),
    "fractions of the picture": signature({"output": decoded_head() / np.float32(SIDE)}),
    "nothing": signature({}),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_fits_no_family_is_refused(case: str) -> None:
    """The error tells every input and output, and what each family expects."""
    unknown = UNKNOWN[case]

    with pytest.raises(ModelError, match="fits no family") as caught:
        recognise(unknown)

    told = str(caught.value)
    assert all(family.expects in told for family in FAMILIES)
    assert "input images float32 (1 x 3 x 320 x 320)" in told
    assert all(f"output {spec.name}" in told for spec in unknown.outputs)


def test_heads_are_told_apart() -> None:
    """Raw offsets, boxes in pixels, fractions, and what is neither."""
    raw, decoded = raw_head()[0], decoded_head()[0]

    assert head_kind(raw, SIDE, SIDE) is Head.RAW
    assert head_kind(np.zeros_like(raw), SIDE, SIDE) is Head.RAW
    assert head_kind(decoded, SIDE, SIDE) is Head.DECODED
    assert head_kind(decoded / SIDE, SIDE, SIDE) is Head.FRACTIONS
    assert head_kind(np.full_like(raw, 80.0), SIDE, SIDE) is Head.UNCLEAR
