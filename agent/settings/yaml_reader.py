"""YAML nodes to plain values, with the place of every key, and every mistake on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from agent.settings.mistake import KeyPath, Mistake, shown_text
from agent.settings.types.nothing import Nothing
from agent.settings.yaml_nodes import DEEPEST, PLAIN, compose
from agent.settings.yaml_text import UnreadableFileError, read_text

YAML_TAG = "tag:yaml.org,2002:"
KNOWN_TAGS = {PLAIN, *(YAML_TAG + kind for kind in ("str", "int", "float", "bool", "null", "seq", "map"))}
MOST_NODES = 20_000
SECRETS_ONLY = "the value itself: ${NAME} and !file are for passwords and tokens only"
REFERENCE = re.compile(r"\$\{[^}]*\}")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FRACTIONAL = re.compile(r"[-+]?((0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)[eE][-+]?[0-9]+)")


@dataclass(frozen=True)
class Place:
    """Where something stands, from 1."""

    line: int
    column: int


@dataclass
class Document:
    """What a YAML file says.

    Attributes:
        path: the file.
        value: the top-level mapping; what could not be read is None in it.
        places: of every key path; of a key where there is one, else of the value.
        mistakes: found so far.
        unusable: keys whose value is wrong or was not understood, so nothing is said about it again.
    """

    path: Path
    value: dict[str, object] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unusable: list[KeyPath] = field(default_factory=list)

    def line_of(self, key_path: KeyPath) -> int | None:
        """The line of the key, or of the nearest key above that is there."""
        while key_path and key_path not in self.places:
            key_path = key_path[:-1]
        place = self.places.get(key_path)
        return place.line if place else None

    def add(self, key_path: KeyPath, found: str, allowed: str = "", hint: str = "") -> None:
        """Note a mistake in the value at a key."""
        line = self.line_of(key_path)
        self.mistakes.append(Mistake(self.path, line, key_path, found, allowed, hint))
        self.unusable.append(key_path)


SecretReader = Callable[[yaml.ScalarNode, KeyPath, Document], object]


def read_document(path: Path, secret_keys: frozenset[str], read_secret: SecretReader) -> Document:
    """Read a file. Scalars under a key of `secret_keys` are handed to `read_secret`, which may note mistakes.

    Raises:
        UnreadableFileError: the file as a whole cannot be used.
    """
    root = compose(read_text(path), path)
    if root is None or (root.tag == PLAIN and root.value == ""):
        hint = "begin with config/sites/minimal.yaml"
        raise UnreadableFileError(Mistake(path, None, (), "an empty file", "a site file", hint))
    if not isinstance(root, yaml.MappingNode):
        kind = "a list" if isinstance(root, yaml.SequenceNode) else "a single text"
        raise UnreadableFileError(Mistake(path, _line(root), (), kind, "keys with values, such as site: harbour"))
    document = Document(path)
    document.value = _Reading(document, secret_keys, read_secret).mapping(root, ())
    return document


def plain_value(text: str) -> object:
    """What a text without quotes is: null, true or false, a decimal number, else the text itself.

    That is YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3.2) without octal and hexadecimal numbers,
    infinities and leading zeros, which stay text: `off`, `no` and 12:30 are texts too.
    """
    if text in ("~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTIONAL.fullmatch(text) else text


class _Reading:
    """One pass over the nodes of one document."""

    def __init__(self, document: Document, secret_keys: frozenset[str], read_secret: SecretReader) -> None:
        self._document = document
        self._secret_keys = secret_keys
        self._read_secret = read_secret
        self._nodes = 0

    def mapping(self, node: yaml.MappingNode, at: KeyPath) -> dict[str, object]:
        """A mapping as a dict; the first of two equal keys counts."""
        values: dict[str, object] = {}
        for key, key_node, value_node in self._own_and_merged(node, at, set()):
            if not at and key.startswith("x-"):
                continue
            self._document.places[(*at, key)] = _place(key_node)
            values[key] = self._value(value_node, (*at, key))
        return values

    def _own_and_merged(
        self, node: yaml.MappingNode, at: KeyPath, taken: set[str], depth: int = 0
    ) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """Every key once: the mapping's own first, then those of its << merges, nearest first."""
        self._check_bounds(node, depth)
        merges: list[yaml.Node] = []
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, at)
            if key_node.tag == PLAIN and key == "<<":
                merges.append(value_node)
            elif key in lines:
                self._duplicate(key, key_node, at, lines[key])
            elif key is not None:
                lines[key] = _line(key_node)
                if key not in taken:
                    taken.add(key)
                    yield key, key_node, value_node
        for merge in merges:
            for merged in merge.value if isinstance(merge, yaml.SequenceNode) else [merge]:
                if isinstance(merged, yaml.MappingNode):
                    yield from self._own_and_merged(merged, at, taken, depth + 1)
                else:
                    self._misshapen(merged, at, "<< with something else", "<<: *anchor of a mapping")

    def _key(self, node: yaml.Node, at: KeyPath) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.value and node.tag in KNOWN_TAGS:
            return str(node.value)
        self._misshapen(node, at, "a key that is no text", "a text as the key")
        return None

    def _duplicate(self, key: str, node: yaml.Node, at: KeyPath, first_line: int) -> None:
        shown = shown_text(key)
        if at == ("cameras",):
            found, allowed = f"two cameras are called {shown}", "a name of its own for every camera"
        else:
            found, allowed = f"{shown} stands here twice", "every key once"
        lines = f"lines {first_line} and {_line(node)}"
        self._misshapen(node, (*at, key), f"{found}: {lines}", allowed)

    def _misshapen(self, node: yaml.Node, at: KeyPath, found: str, allowed: str) -> None:
        """Note a mistake that leaves the value as it is."""
        self._document.mistakes.append(Mistake(self._document.path, _line(node), at, found, allowed))

    def _value(self, node: yaml.Node, at: KeyPath) -> object:
        self._check_bounds(node, len(at))
        self._document.places.setdefault(at, _place(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, at)
        if node.tag not in KNOWN_TAGS:
            self._unknown_tag(at)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        return [self._value(item, (*at, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, at: KeyPath) -> object:
        if at[-1] in self._secret_keys:
            return self._read_secret(node, at, self._document)
        if node.tag == "!file":
            self._document.add(at, "found !file", SECRETS_ONLY)
            return None
        if node.tag not in KNOWN_TAGS:
            self._unknown_tag(at)
            return None
        reference = REFERENCE.search(node.value)
        if reference:
            self._document.add(at, f"found {shown_text(reference[0])}", SECRETS_ONLY)
            return None
        if node.tag == PLAIN and not node.value:
            return Nothing.NOTHING
        return str(node.value) if node.tag == YAML_TAG + "str" else plain_value(node.value)

    def _unknown_tag(self, at: KeyPath) -> None:
        """The tag itself is not shown: an unquoted password may begin with an exclamation mark."""
        self._document.add(
            at, "a tag (a word that begins with !) that means nothing here", "no tags but !file", "put a text in quotes"
        )

    def _check_bounds(self, node: yaml.Node, depth: int) -> None:
        """Aliases can make a small file endless."""
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            found = "anchors that unfold without end" if depth > DEEPEST else f"more than {MOST_NODES} values"
            raise UnreadableFileError(Mistake(self._document.path, _line(node), (), found, "a site file"))


def _line(node: yaml.Node) -> int:
    return _place(node).line


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
