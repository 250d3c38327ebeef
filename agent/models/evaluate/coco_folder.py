"""Reads a folder in COCO's format: pictures, and one file that says what is to be seen in them.

The format is that of Lin et al., "Microsoft COCO: Common Objects in Context", 2014 (cocodataset.org).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.errors import ToolInputError
from agent.models.evaluate.coco_rows import CocoBox, CocoPicture, read_boxes, read_categories, read_pictures

ANNOTATION_FILES = ("instances.json", "annotations/instances_*.json", "_annotations.coco.json")
LARGEST_FILE_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class CocoFolder:
    """Annotated pictures; every file named is there.

    Attributes:
        path: of the folder.
        annotations: the file read.
        pictures: in the file's order.
        boxes: everything to be seen in them, crowds too.
        categories: name of every category id.
    """

    path: Path
    annotations: Path
    pictures: tuple[CocoPicture, ...]
    boxes: tuple[CocoBox, ...]
    categories: Mapping[int, str]

    def first(self, count: int) -> CocoFolder:
        """The same with its first pictures only."""
        pictures = self.pictures[:count]
        ids = {picture.picture_id for picture in pictures}
        return replace(self, pictures=pictures, boxes=tuple(box for box in self.boxes if box.picture_id in ids))

    def told(self) -> str:
        """For a person."""
        crowds = sum(box.is_crowd for box in self.boxes)
        of_crowds = f" ({crowds} of crowds, which count as neither found nor missed)" if crowds else ""
        return (
            f"{self.path}: {len(self.pictures)} pictures, {len(self.boxes)} boxes{of_crowds}, "
            f"{len(self.categories)} categories, from {self.annotations.name}"
        )


def read_coco_folder(path: Path, annotations: Path | None = None, limit: int | None = None) -> CocoFolder:
    """Read and check a folder.

    Args:
        path: with pictures in `images`, in a folder named as the annotations' set (`val2017`), or beside the file.
        annotations: the file; where None it is looked for under the usual names.
        limit: only so many pictures, the first; the others need not be there.

    Raises:
        ToolInputError: the folder, its file or a picture is not there or not in this format; it says what is where.
    """
    if not path.is_dir():
        raise ToolInputError(f"{path}: there is no such folder; it must hold pictures and instances.json (COCO)")
    file = annotations or _find_annotations(path)
    content = _read_json(file)
    categories = read_categories(file, content)
    listed = read_pictures(file, content)
    boxes = read_boxes(file, content, frozenset(each.picture_id for each in listed), categories)
    whole = CocoFolder(path, file, listed, boxes, categories)
    chosen = whole if limit is None else whole.first(limit)
    if not chosen.boxes:
        raise ToolInputError(f"{file}: there is no box in {len(chosen.pictures)} pictures, so nothing can be scored")
    return replace(chosen, pictures=_located(chosen))


def _find_annotations(folder: Path) -> Path:
    found = sorted(each for pattern in ANNOTATION_FILES for each in folder.glob(pattern))
    if not found:
        raise ToolInputError(
            f"{folder}: there is none of {', '.join(ANNOTATION_FILES)}; a COCO-format folder has one, "
            "or name the file with --annotations"
        )
    if len(found) > 1:
        names = ", ".join(str(each.relative_to(folder)) for each in found)
        raise ToolInputError(f"{folder}: there is more than one file of annotations ({names}): say --annotations FILE")
    return found[0]


def _read_json(file: Path) -> Mapping[str, Any]:
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise ToolInputError(f"{file}: {size} bytes; annotations of at most {LARGEST_FILE_BYTES} bytes are read")
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise ToolInputError(f"{file}: the annotations cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8 is a ValueError too
        raise ToolInputError(f"{file}: this is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ToolInputError(f"{file}: expected a JSON object with images, annotations and categories")
    return content


def _located(folder: CocoFolder) -> tuple[CocoPicture, ...]:
    """The pictures with whole paths, all of them there."""
    home = _home(folder)
    located = tuple(replace(each, path=home / each.path) for each in folder.pictures)
    missing = [each.path for each in located if not each.path.is_file()]
    if missing:
        raise ToolInputError(
            f"{folder.annotations}: {len(missing)} of {len(located)} pictures are not there, first {missing[0]}"
        )
    return located


def _home(folder: CocoFolder) -> Path:
    """The folder in which the first picture lies; `images` where none has it."""
    named_as_set = folder.annotations.stem.removeprefix("instances_")
    homes = (folder.path / "images", folder.path / named_as_set, folder.path / "images" / named_as_set, folder.path)
    first = folder.pictures[0].path
    return next((home for home in homes if (home / first).is_file()), homes[0])
