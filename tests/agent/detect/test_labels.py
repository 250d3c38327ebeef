"""Labels come from the site file, the model's metadata, or COCO, and are as many as the classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.detect.coco import COCO_LABELS
from agent.detect.labels import choose_labels, names_in, read_labels
from agent.errors import ModelError


@pytest.mark.parametrize(
    "written",
    ["{0: 'cat', 1: 'dog'}", '{"0": "cat", "1": "dog"}', "['cat', 'dog']", '["cat", "dog"]', "{1: 'dog', 0: 'cat'}"],
)
def test_names_are_read_from_metadata(written: str) -> None:
    """Exporters write a Python or a JSON literal, a list or a table."""
    assert names_in({"names": written}) == ("cat", "dog")


@pytest.mark.parametrize(
    "written", ["", "cat, dog", "{0: 'cat', 5: 'dog'}", "{0: 1}", "[]", "{", "__import__('os')", "(" * 5000, "7"]
)
def test_what_names_nothing_is_no_names(written: str) -> None:
    """Anything else under that key is as if nothing were there, and is never run."""
    assert names_in({"names": written}) is None


def test_labels_are_read_from_a_file(tmp_path: Path) -> None:
    """One a line; a mark at the start, spaces and blank lines at the end do not count."""
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffcat\r\n dog \r\nÜberweg\n\n\n".encode())

    assert read_labels(path) == ("cat", "dog", "Überweg")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"cat\n\ndog\n", "line 2: is blank"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary"),
        (b"caf\xe9\n", "UTF-8"),
        (b"cat\n" + b"x" * 300, "line 2"),
        (b"cat\nd\x07g\n", "line 2"),
        (b"x\n" * 600_000, "larger"),
    ],
)
def test_a_file_that_is_no_list_of_labels_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    """The error names the file and what is wrong with it."""
    path = tmp_path / "labels.txt"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=told) as caught:
        read_labels(path)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["absent.txt", "."])
def test_an_unreadable_file_is_refused(name: str, tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is told with the system's reason."""
    with pytest.raises(ModelError, match="cannot be read"):
        read_labels(tmp_path / name)


def test_the_site_file_comes_first(tmp_path: Path) -> None:
    """A list or a file overrules the metadata."""
    path = tmp_path / "labels.txt"
    path.write_text("a\nb\n")

    assert choose_labels(("x", "y"), ("n", "m"), 2).texts == ("x", "y")
    assert choose_labels(path, ("n", "m"), 2).texts == ("a", "b")
    assert choose_labels(None, ("n", "m"), 2).texts == ("n", "m")


@pytest.mark.parametrize("class_count", [80, None])
def test_eighty_unnamed_classes_are_cocos(class_count: int | None) -> None:
    """So is an unknown number of unnamed classes; it is told as assumed."""
    labels = choose_labels(None, None, class_count)

    assert labels.texts == COCO_LABELS
    assert "assumed" in labels.origin


def test_other_unnamed_classes_are_numbered() -> None:
    """A model of three classes that nobody names still has three labels."""
    assert choose_labels(None, None, 3).texts == ("class 0", "class 1", "class 2")


def test_another_number_of_labels_is_refused() -> None:
    """Both numbers are told."""
    with pytest.raises(ModelError, match="found 2 labels, but the model has 80 classes"):
        choose_labels(("a", "b"), None, 80)


def test_coco_has_eighty_different_labels() -> None:
    """The table is whole."""
    assert len(set(COCO_LABELS)) == 80
    assert (COCO_LABELS[0], COCO_LABELS[79]) == ("person", "toothbrush")
