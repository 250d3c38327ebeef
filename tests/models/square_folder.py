"""A folder in COCO's format of drawn squares, and small models that find them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from clips.rendered import TruthBox, draw
from models.detecting import SQUARES

SIZE = (640, 360)
CATEGORIES = ({"id": 7, "name": "Blue"}, {"id": 3, "name": "red"})
CATEGORY_IDS = (3, 7)  # of red and blue, which are classes 0 and 1


def write_square_folder(folder: Path, pictures: int = 4, **changed: Any) -> Path:
    """Write pictures with a red and a blue square each, moving from picture to picture, and what is in them.

    Args:
        folder: made here.
        pictures: how many.
        changed: keys of the file of annotations in place of the right ones; None leaves one out.
    """
    (folder / "images").mkdir(parents=True)
    content: dict[str, Any] = {"images": [], "annotations": [], "categories": list(CATEGORIES)}
    for number in range(1, pictures + 1):
        squares = [_moved(square, 11 * number) for square in SQUARES]
        name = f"{number:03}.png"
        cv2.imwrite(str(folder / "images" / name), draw(squares, SIZE, seed=number))
        content["images"].append({"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1]})
        content["annotations"] += rows(number, squares, first_id=2 * number)
    content |= changed
    kept = {key: value for key, value in content.items() if value is not None}
    (folder / "instances.json").write_text(json.dumps(kept), encoding="utf-8")
    return folder


def rows(picture_id: int, squares: Sequence[TruthBox], first_id: int) -> list[dict[str, Any]]:
    """Squares as rows of COCO's annotations."""
    return [
        {
            "id": number,
            "image_id": picture_id,
            "category_id": CATEGORY_IDS[square.class_id],
            "bbox": [square.x1, square.y1, square.x2 - square.x1, square.y2 - square.y1],
            "area": (square.x2 - square.x1) * (square.y2 - square.y1),
            "iscrowd": 0,
        }
        for number, square in enumerate(squares, start=first_id)
    ]


def _moved(square: TruthBox, by_px: int) -> TruthBox:
    return square._replace(x1=square.x1 + by_px, x2=square.x2 + by_px)
