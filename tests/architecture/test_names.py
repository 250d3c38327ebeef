"""Words that our sources do not use, and what every package says of itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from architecture.sources import PACKAGES, files, shown, tree_of

EMPTY_WORDS = ("utils", "util", "helpers", "helper", "common", "misc", "base", "core")
# Our word stands beside each; names of other people's formats may still appear in strings.
NOT_OUR_WORDS = {"tracker_id": "track_id", "bbox": "box", "bboxes": "boxes"}
SHORTEST_DOCSTRING = 40


def identifiers(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every name a file gives or uses."""
    for node in ast.walk(tree_of(path)):
        for field in ("id", "arg", "attr", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield getattr(node, "lineno", 0), name


def test_no_module_is_called_by_an_empty_word() -> None:
    """A file or folder says what lives in it."""
    wrong = [shown(path) for path in files(*PACKAGES, "tests") if {path.stem, path.parent.name} & set(EMPTY_WORDS)]

    assert not wrong, "\n".join(wrong)


def test_one_word_for_one_thing() -> None:
    """Identifiers use the project's words."""
    wrong = [
        f"{shown(path)}:{line}: {name}; say {NOT_OUR_WORDS[name]}"
        for path in files(*PACKAGES)
        for line, name in identifiers(path)
        if name in NOT_OUR_WORDS
    ]

    assert not wrong, "\n".join(wrong)


def test_every_package_says_what_lives_there() -> None:
    """Each folder of code has an __init__ with a docstring."""
    wrong = []
    for folder in {path.parent for path in files(*PACKAGES)}:
        init = folder / "__init__.py"
        words = ast.get_docstring(tree_of(init)) if init.exists() else None
        if len(words or "") < SHORTEST_DOCSTRING:
            wrong.append(shown(init))

    assert not wrong, "\n".join(sorted(wrong))


def test_every_module_has_a_docstring() -> None:
    """Each file of code says in a sentence what it is for."""
    wrong = [shown(path) for path in files(*PACKAGES) if not ast.get_docstring(tree_of(path))]

    assert not wrong, "\n".join(wrong)


def test_test_folders_are_no_packages() -> None:
    """An __init__ under tests would shadow the package of the same name."""
    assert [shown(path) for path in files("tests") if path.name == "__init__.py"] == []
