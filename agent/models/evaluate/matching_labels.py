"""Which category of an annotated folder is which class of a model: by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.errors import ToolInputError


@dataclass(frozen=True)
class LabelMatch:
    """Classes and categories of the same name.

    Attributes:
        categories: category id by class id; of those that both know.
        not_in_model: names of categories that no class has; they are left out of every score.
        not_in_folder: labels that no category has; what is detected of them does not count.
    """

    categories: Mapping[int, int]
    not_in_model: tuple[str, ...]
    not_in_folder: tuple[str, ...]


def match_labels(labels: Sequence[str], categories: Mapping[int, str]) -> LabelMatch:
    """Match by name; large and small letters, and `_`, `-` and blanks, are alike.

    Raises:
        ToolInputError: nothing matches, or two classes or categories have one name.
    """
    classes = _by_name(dict(enumerate(labels)), "label of the model")
    known = _by_name(categories, "category of the folder")
    matched = {class_id: known[name] for name, class_id in classes.items() if name in known}
    if not matched:
        raise ToolInputError(
            f"none of the model's labels ({_some(labels)}) is a category of the folder "
            f"({_some(list(categories.values()))}); give the model's labels with --labels"
        )
    return LabelMatch(
        matched,
        tuple(name for number, name in categories.items() if number not in matched.values()),
        tuple(label for class_id, label in enumerate(labels) if class_id not in matched),
    )


def _by_name(texts: Mapping[int, str], what: str) -> dict[str, int]:
    named: dict[str, int] = {}
    for number, text in texts.items():
        name = " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
        if name in named:
            raise ToolInputError(f"{text!r} is more than one {what}; by name they cannot be told apart")
        named[name] = number
    return named


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
