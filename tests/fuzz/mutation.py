"""Bytes that begin as something good and are then spoilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS = (
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
)
MOST_EDITS = 6
LONGEST_PIECE = 64

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def spoilt(draw: Draw, good: bytes, tokens: Sequence[bytes] = ()) -> bytes:
    """`good` with a few pieces overwritten, put in, taken out, doubled, or with its end cut off.

    Args:
        draw: given by hypothesis.
        good: what to begin with.
        tokens: what means something in this format.
    """
    content = good
    for _ in range(draw(st.integers(1, MOST_EDITS))):
        at, kind = draw(st.integers(0, len(content))), draw(st.sampled_from(sorted(_EDITS)))
        content = _EDITS[kind](draw, content, at, tokens)
    return content


def _piece(draw: Draw, tokens: Sequence[bytes]) -> bytes:
    known = st.sampled_from((*NUMBERS, *tokens))
    piece: bytes = draw(st.one_of(known, st.binary(min_size=1, max_size=8)))
    return piece


def _length(draw: Draw) -> int:
    length: int = draw(st.integers(1, LONGEST_PIECE))
    return length


def _overwrite(draw: Draw, content: bytes, at: int, tokens: Sequence[bytes]) -> bytes:
    piece = _piece(draw, tokens)
    return content[:at] + piece + content[at + len(piece) :]


def _put_in(draw: Draw, content: bytes, at: int, tokens: Sequence[bytes]) -> bytes:
    return content[:at] + _piece(draw, tokens) + content[at:]


def _take_out(draw: Draw, content: bytes, at: int, _tokens: Sequence[bytes]) -> bytes:
    return content[:at] + content[at + _length(draw) :]


def _double(draw: Draw, content: bytes, at: int, _tokens: Sequence[bytes]) -> bytes:
    return content[:at] + content[at : at + _length(draw)] * 2 + content[at:]


def _flip(draw: Draw, content: bytes, at: int, _tokens: Sequence[bytes]) -> bytes:
    at = min(at, len(content) - 1)
    bit = draw(st.integers(0, 7))
    return content if at < 0 else content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def _cut(_draw: Draw, content: bytes, at: int, _tokens: Sequence[bytes]) -> bytes:
    return content[:at]


_EDITS: Mapping[str, Callable[[Draw, bytes, int, Sequence[bytes]], bytes]] = {
    "overwrite": _overwrite, "put in": _put_in, "take out": _take_out, "double": _double, "flip": _flip, "cut": _cut,
}  # fmt: skip


# What JSON and YAML can hold and nobody expects.
ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "\0", "off", "1e999", "-1", "9" * 40, "../../etc/passwd", "ключ", "a" * 5000]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)


@st.composite
def spoilt_tree(draw: Draw, good: Any, spared: Sequence[str] = ()) -> Any:
    """Nested dicts and lists with a few values replaced, keys renamed, entries gone; a copy.

    Args:
        draw: given by hypothesis.
        good: what to begin with.
        spared: keys that are left as they are, with all below them.
    """
    tree = good
    for _ in range(draw(st.integers(1, 3))):
        paths = [path for path in _paths(tree) if not set(path) & set(spared)]
        if not paths:
            return tree
        tree = _changed(draw, tree, draw(st.sampled_from(paths)))
    return tree


def _paths(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = [path for key, value in items for path in _paths(value, (*at, key))]
    return [at, *found] if at else found


def _changed(draw: Draw, tree: Any, path: tuple[Any, ...]) -> Any:
    key, rest = path[0], path[1:]
    if rest:
        changed = _changed(draw, tree[key], rest)
        if isinstance(tree, dict):
            return {**tree, key: changed}
        return [*tree[:key], changed, *tree[key + 1 :]]
    what = draw(st.sampled_from(("replace", "remove", "rename")))
    if isinstance(tree, list):
        return [*tree[:key], *([draw(ODD_VALUES)] if what == "replace" else []), *tree[key + 1 :]]
    if what == "replace":
        return {**tree, key: draw(ODD_VALUES)}
    kept = {name: value for name, value in tree.items() if name != key}
    return kept if what == "remove" else {**kept, draw(st.text(max_size=10)): tree[key]}
