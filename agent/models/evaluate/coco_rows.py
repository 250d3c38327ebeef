"""The three lists of a COCO file, each row checked where it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from agent.errors import ToolInputError


@dataclass(frozen=True)
class CocoPicture:
    """One picture: its id, its file, its size in pixels as it is stored."""

    picture_id: int
    path: Path
    width_px: int
    height_px: int


@dataclass(frozen=True)
class CocoBox:
    """One thing to be seen.

    Attributes:
        picture_id, category_id: where, and what.
        corner_and_size: x y width height in pixels, from the top left corner.
        area_px: of the thing's outline where the file has it, else of the box; tells small from large.
        is_crowd: many at once: finding one of them is neither right nor wrong.
    """

    picture_id: int
    category_id: int
    corner_and_size: tuple[float, float, float, float]
    area_px: float
    is_crowd: bool


def read_categories(file: Path, content: Mapping[str, Any]) -> dict[int, str]:
    """Name of every category id.

    Raises:
        ToolInputError: a row is wrong, or an id or name comes twice.
    """
    categories: dict[int, str] = {}
    for where, row in _rows(file, content, "categories"):
        number, name = _whole(where, row, "id"), _text(where, row, "name")
        if number in categories or name in categories.values():
            raise ToolInputError(f"{where}: id {number} or name {name!r} is there twice")
        categories[number] = name
    return categories


def read_pictures(file: Path, content: Mapping[str, Any]) -> tuple[CocoPicture, ...]:
    """The pictures, their paths as written in the file.

    Raises:
        ToolInputError: a row is wrong, an id comes twice, a path leads out of the folder, or there is no picture.
    """
    pictures: dict[int, CocoPicture] = {}
    for where, row in _rows(file, content, "images"):
        number, name = _whole(where, row, "id"), PurePosixPath(_text(where, row, "file_name"))
        if number in pictures:
            raise ToolInputError(f"{where}: id {number} is there twice")
        if name.is_absolute() or ".." in name.parts:
            raise ToolInputError(f"{where}: file_name {str(name)!r} leads out of the folder; it must lie within")
        size = (_whole(where, row, "width", least=1), _whole(where, row, "height", least=1))
        pictures[number] = CocoPicture(number, Path(name), *size)
    return tuple(pictures.values())


def read_boxes(
    file: Path, content: Mapping[str, Any], picture_ids: frozenset[int], categories: Mapping[int, str]
) -> tuple[CocoBox, ...]:
    """Every box.

    Raises:
        ToolInputError: a row is wrong, or of a picture or category that the file does not list.
    """
    boxes = []
    for where, row in _rows(file, content, "annotations", may_be_empty=True):
        picture_id, category_id = _whole(where, row, "image_id"), _whole(where, row, "category_id")
        if picture_id not in picture_ids:
            raise ToolInputError(f"{where}: image_id {picture_id} is not among the file's images")
        if category_id not in categories:
            raise ToolInputError(f"{where}: category_id {category_id} is not among the file's categories")
        x, y, width, height = _box(where, row)
        area = row.get("area", width * height)
        if not _is_number(area) or area < 0:
            raise ToolInputError(f"{where}: area is {area!r}; it must be a number of square pixels")
        is_crowd = _crowd(where, row)
        boxes.append(CocoBox(picture_id, category_id, (x, y, width, height), float(area), is_crowd))
    return tuple(boxes)


def _rows(
    file: Path, content: Mapping[str, Any], name: str, *, may_be_empty: bool = False
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with words for where it is."""
    rows = content.get(name)
    if not isinstance(rows, list) or not (rows or may_be_empty):
        raise ToolInputError(f"{file}: a COCO file has a list {name!r} with something in it; this one has not")
    for place, row in enumerate(rows):
        where = f"{file}: {name}[{place}]"
        if not isinstance(row, dict):
            raise ToolInputError(f"{where}: expected an object, found {type(row).__name__}")
        yield where, row


def _whole(where: str, row: Mapping[str, Any], key: str, least: int = 0) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ToolInputError(f"{where}: {key} is {value!r}; it must be a whole number from {least}")
    return value


def _text(where: str, row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ToolInputError(f"{where}: {key} is {value!r}; it must be a text")
    return value


def _box(where: str, row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    value = row.get("bbox")
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)) or min(value[2:]) < 0:
        raise ToolInputError(f"{where}: bbox is {value!r}; it must be four numbers: x, y, width, height in pixels")
    x, y, width, height = map(float, value)
    return x, y, width, height


def _crowd(where: str, row: Mapping[str, Any]) -> bool:
    value = row.get("iscrowd", 0)
    if value not in (0, 1):
        raise ToolInputError(f"{where}: iscrowd is {value!r}; it must be 0 or 1")
    return bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
