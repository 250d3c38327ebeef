"""COCO's scores of a model: the record, and as a text for a person."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClassScore:
    """Of one class. None where there is nothing of it to be found.

    Attributes:
        label: the category's name.
        ap, ap50: precision over overlaps of 0.5 to 0.95, and at 0.5.
        ar: recall, with up to 100 detections a picture.
        boxes: to be found, without crowds.
    """

    label: str
    ap: float | None
    ap50: float | None
    ar: float | None
    boxes: int


@dataclass(frozen=True)
class CocoScore:
    """COCO's scores of a model on an engine, each 0 to 1; None where there is nothing of that kind to be found.

    Attributes:
        model: its file.
        runtime, runtime_version, accelerator, precision: what it ran on.
        pictures, boxes: how many; boxes without crowds, of the classes that are scored.
        ap: mean precision over classes and overlaps of 0.5 to 0.95: COCO's "mAP".
        ap50, ap75: the same at an overlap of 0.5, of 0.75.
        ap_small, ap_medium, ap_large: of things below 32x32, below 96x96, and above.
        ar1, ar10, ar100: recall with so many detections a picture.
        ar_small, ar_medium, ar_large: recall by size.
        classes: one a class that both the model and the folder know.
        not_in_model: categories of the folder that are left out, because the model has no such label.
        not_in_folder: labels of the model that the folder has no category for.
        score_threshold: of the weakest detection that counted.
    """

    model: str
    runtime: str
    runtime_version: str
    accelerator: str
    precision: str
    pictures: int
    boxes: int
    ap: float
    ap50: float
    ap75: float
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float
    ar10: float
    ar100: float
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None
    classes: tuple[ClassScore, ...]
    not_in_model: tuple[str, ...]
    not_in_folder: tuple[str, ...]
    score_threshold: float

    @property
    def on(self) -> str:
        """Engine for a person: "openvino 2026.4 on cpu, fp32"."""
        return f"{self.runtime} {self.runtime_version} on {self.accelerator}, {self.precision}"

    def of(self, label: str) -> ClassScore:
        """The score of one class.

        Raises:
            KeyError: it was not scored.
        """
        for each in self.classes:
            if each.label == label:
                return each
        raise KeyError(label)

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return dataclasses.asdict(self)

    def as_text(self) -> str:
        """A summary, then the classes with something to be found, most boxes first."""
        return "\n".join(_lines(self))


def _lines(score: CocoScore) -> Iterator[str]:
    yield f"{score.model} on {score.on}: {score.pictures} pictures, {score.boxes} boxes"
    yield f"  AP {told(score.ap)}   AP50 {told(score.ap50)}   AP75 {told(score.ap75)}"
    sizes = (("small", score.ap_small), ("medium", score.ap_medium), ("large", score.ap_large))
    yield "  AP by size: " + "   ".join(f"{size} {told(value)}" for size, value in sizes)
    yield f"  AR with 1, 10, 100 detections: {told(score.ar1)}   {told(score.ar10)}   {told(score.ar100)}"
    rows = sorted((each for each in score.classes if each.boxes), key=lambda each: -each.boxes)
    width = max((len(each.label) for each in rows), default=0)
    yield f"  {'class':<{width}}  boxes     AP   AP50     AR"
    for each in rows:
        yield f"  {each.label:<{width}}  {each.boxes:>5}  {told(each.ap)}  {told(each.ap50)}  {told(each.ar)}"
    if score.not_in_model:
        yield f"  left out, as the model has no such label: {', '.join(score.not_in_model)}"
    if score.not_in_folder:
        yield f"  {len(score.not_in_folder)} labels of the model are no category of the folder and do not count"


def told(value: float | None) -> str:
    """A score in five characters."""
    return "    -" if value is None else f"{value:.3f}"
