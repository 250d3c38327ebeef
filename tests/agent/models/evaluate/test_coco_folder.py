"""Reading a folder in COCO's format, good and bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from models.square_folder import CATEGORIES, write_square_folder

from agent.errors import ToolInputError
from agent.models.evaluate.coco_folder import read_coco_folder
from agent.models.evaluate.coco_rows import CocoPicture
from agent.models.evaluate.picture_files import read_frame

PICTURE = {"id": 1, "file_name": "001.png", "width": 640, "height": 360}
BOX = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}


def test_a_folder_is_read(tmp_path: Path) -> None:
    """Pictures in order with whole paths, boxes, categories; and a sentence that counts them."""
    folder = read_coco_folder(write_square_folder(tmp_path / "set", pictures=3))

    assert [picture.path for picture in folder.pictures] == [
        tmp_path / "set" / "images" / f"{number:03}.png" for number in (1, 2, 3)
    ]
    assert folder.categories == {7: "Blue", 3: "red"}
    assert folder.boxes[0].corner_and_size == (175.0, 72.0, 64.0, 64.0)
    assert folder.told().endswith("set: 3 pictures, 6 boxes, 2 categories, from instances.json")


def test_the_first_pictures_are_enough(tmp_path: Path) -> None:
    """With a limit the other pictures need not be there, and their boxes do not count."""
    path = write_square_folder(tmp_path / "set", pictures=3)
    (path / "images" / "003.png").unlink()

    folder = read_coco_folder(path, limit=2)

    assert (len(folder.pictures), len(folder.boxes)) == (2, 4)
    with pytest.raises(ToolInputError, match=r"1 of 3 pictures are not there, first .*003\.png"):
        read_coco_folder(path)


@pytest.mark.parametrize(
    ("file", "home"),
    [
        ("annotations/instances_val2017.json", "val2017"),
        ("annotations/instances_val.json", "images/val"),
        ("_annotations.coco.json", "."),
    ],
)
def test_other_layouts_are_known(file: str, home: str, tmp_path: Path) -> None:
    """COCO's own layout, the one with a folder a set, and the one with everything in one folder."""
    path = write_square_folder(tmp_path / "set", pictures=1)
    target = path / home
    target.mkdir(parents=True, exist_ok=True)
    (path / "images" / "001.png").rename(target / "001.png")
    (path / file).parent.mkdir(exist_ok=True)
    (path / "instances.json").rename(path / file)

    assert read_coco_folder(path).pictures[0].path.is_file()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"images": None}, "a COCO file has a list 'images' with something in it"),
        ({"images": []}, "a COCO file has a list 'images' with something in it"),
        ({"annotations": {}}, "a COCO file has a list 'annotations'"),
        ({"annotations": []}, "there is no box in 2 pictures, so nothing can be scored"),
        ({"annotations": [7]}, r"annotations\[0\]: expected an object, found int"),
        ({"annotations": [{**BOX, "image_id": 99}]}, "image_id 99 is not among the file's images"),
        ({"annotations": [{**BOX, "category_id": 5}]}, "category_id 5 is not among the file's categories"),
        ({"annotations": [{**BOX, "bbox": [1, 2, 3]}]}, r"bbox is \[1, 2, 3\]; it must be four numbers"),
        ({"annotations": [{**BOX, "bbox": [1, 2, -3, 4]}]}, "it must be four numbers"),
        ({"annotations": [{**BOX, "bbox": [1, 2, float("nan"), 4]}]}, "it must be four numbers"),
        ({"annotations": [{**BOX, "iscrowd": 2}]}, "iscrowd is 2; it must be 0 or 1"),
        ({"annotations": [{**BOX, "area": "big"}]}, "area is 'big'; it must be a number"),
        ({"categories": [*CATEGORIES, {"id": 9, "name": "red"}]}, "id 9 or name 'red' is there twice"),
        ({"images": [PICTURE, PICTURE]}, "id 1 is there twice"),
        ({"images": [{**PICTURE, "file_name": "../001.png"}]}, "leads out of the folder"),
        ({"images": [{**PICTURE, "file_name": "/etc/passwd"}]}, "leads out of the folder"),
        ({"images": [{**PICTURE, "width": True}]}, "width is True; it must be a whole number from 1"),
    ],
)
def test_a_wrong_file_is_told(changed: dict[str, Any], told: str, tmp_path: Path) -> None:
    """Each mistake with the file, the row, what was found and what must be there."""
    path = write_square_folder(tmp_path / "set", pictures=2, **changed)

    with pytest.raises(ToolInputError, match=told) as refused:
        read_coco_folder(path)

    assert str(path / "instances.json") in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "this is not JSON"), (b"\xff\xfe{", "this is not JSON"), (b"[]", "expected a JSON object")],
)
def test_what_is_no_json_is_told(content: bytes, told: str, tmp_path: Path) -> None:
    """An empty file, one that is no text, and one that holds something else."""
    path = write_square_folder(tmp_path / "set")
    (path / "instances.json").write_bytes(content)

    with pytest.raises(ToolInputError, match=told):
        read_coco_folder(path)


def test_a_folder_without_annotations_is_told(tmp_path: Path) -> None:
    """Nothing there, no file, and two files of which one must be named."""
    with pytest.raises(ToolInputError, match="there is no such folder"):
        read_coco_folder(tmp_path / "none")
    with pytest.raises(ToolInputError, match=r"there is none of instances\.json"):
        read_coco_folder(tmp_path)
    path = write_square_folder(tmp_path / "set")
    (path / "_annotations.coco.json").write_bytes((path / "instances.json").read_bytes())
    with pytest.raises(ToolInputError, match="more than one file of annotations"):
        read_coco_folder(path)

    assert len(read_coco_folder(path, path / "instances.json").pictures) == 4


def test_pictures_that_are_none_are_told(tmp_path: Path) -> None:
    """Zero bytes, another kind of file, a JPEG cut short, and one of another size."""
    pixels = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
    whole = cv2.imencode(".jpg", pixels)[1].tobytes()
    wrong = {
        "empty.jpg": (b"", "0 bytes that are no picture"),
        "text.png": (b"hello", "5 bytes that are no picture"),
        "cut.jpg": (whole[: len(whole) // 2], "cut short"),
        "small.png": (
            cv2.imencode(".png", pixels[:100])[1].tobytes(),
            "is 640x100, but its boxes are of one of 640x360",
        ),
    }
    for name, (content, told) in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ToolInputError, match=told):
            read_frame(CocoPicture(1, tmp_path / name, 640, 360))
    with pytest.raises(ToolInputError, match="cannot be read"):
        read_frame(CocoPicture(1, tmp_path / "none.jpg", 640, 360))


@pytest.mark.parametrize(("size", "is_turned"), [((60, 40), False), ((40, 60), True)])
def test_a_turned_picture_is_taken_as_its_boxes_are(size: tuple[int, int], *, is_turned: bool, tmp_path: Path) -> None:
    """A note that the camera was held upright counts only where the annotations' size is the turned one."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :20] = 255
    plain = cv2.imencode(".jpg", pixels)[1].tobytes()
    upright = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    note = b"\xff\xe1" + (len(upright) + 2).to_bytes(2, "big") + upright
    (tmp_path / "held.jpg").write_bytes(plain[:2] + note + plain[2:])

    frame = read_frame(CocoPicture(1, tmp_path / "held.jpg", *size))

    seen = frame.picture.full()
    assert seen.shape == (size[1], size[0], 3)
    assert bool(seen[:5, :, 0].mean() > 200) is is_turned


def test_annotations_are_read_as_utf8(tmp_path: Path) -> None:
    """Names in any script."""
    path = write_square_folder(tmp_path / "set", categories=[{"id": 3, "name": "rött"}, {"id": 7, "name": "蓝"}])

    assert read_coco_folder(path).categories == {3: "rött", 7: "蓝"}
    assert json.loads((path / "instances.json").read_text(encoding="utf-8"))
