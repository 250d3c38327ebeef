"""Text to YAML nodes: nothing is constructed, nesting is bounded, and syntax errors say what to do."""

from __future__ import annotations

from pathlib import Path

import yaml

from agent.settings.mistake import Mistake
from agent.settings.yaml_text import UnreadableFileError

DEEPEST = 24
PLAIN = "plain"
"""The tag of a scalar without quotes and without a tag: its text decides what it is."""

SYNTAX = (
    # What PyYAML says, what we say stands there, and what to do. What PyYAML quotes may be part of a password.
    (r"'\t'", "a tab", "indent and separate with spaces"),
    (
        "undefined alias",
        "a value that begins with *, which refers to an anchor that is not there",
        "put the value in quotes, or define the anchor above",
    ),
    ("duplicate anchor", "an anchor that is defined twice", "give every anchor its own name"),
    (
        "cannot start any token",
        "a value that begins with a character that YAML keeps for itself",
        "put the value in quotes",
    ),
    (
        "mapping values are not allowed",
        "a ':' where no key can be",
        "check the indentation, and put a value that holds ': ' in quotes",
    ),
    ("expected <block end>", "a line whose indentation fits no line above", "align it with its neighbours"),
    ("could not find expected ':'", "a key without ':' after it", "write key: value"),
    ("end of stream", "a quote that is never closed", "close the quote"),
    ("expected ',' or", "a bracket that is never closed, or a missing comma", "close the bracket"),
    ("another document", "a second document after ---", "one file describes one site"),
    ("escape character", "a backslash that means nothing in double quotes", "use single quotes"),
    ("nested too deep", f"more than {DEEPEST} levels of nesting", "a site file needs five"),
)
UNKNOWN_SYNTAX = ("text that is not YAML", "compare with config/sites/example.yaml")


def compose(text: str, path: Path) -> yaml.Node | None:
    """The root node of the one document, or None if there is none.

    Raises:
        UnreadableFileError: the text is not YAML.
    """
    try:
        loader = _Loader(text)
        root: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mistake = _syntax_mistake(error, path, text)
    else:
        return root
    raise UnreadableFileError(mistake)


class _Loader(yaml.SafeLoader):
    """Composes only, so no tag ever runs code. Leaves to us what a plain scalar is: YAML 1.1 has traps."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type[yaml.Node], _value: str, implicit: object) -> str:
        """The tag of a node that was written without one."""
        if kind is yaml.ScalarNode and isinstance(implicit, tuple) and implicit[0]:
            return PLAIN
        return {
            yaml.ScalarNode: self.DEFAULT_SCALAR_TAG,
            yaml.SequenceNode: self.DEFAULT_SEQUENCE_TAG,
            yaml.MappingNode: self.DEFAULT_MAPPING_TAG,
        }[kind]

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node, not deeper than anybody needs."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=parent.start_mark if parent else None)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _syntax_mistake(error: yaml.MarkedYAMLError, path: Path, text: str) -> Mistake:
    problem = error.problem or ""
    found, hint = next(((said, do) for part, said, do in SYNTAX if part in problem), UNKNOWN_SYNTAX)
    mark = error.problem_mark
    if "end of stream" in problem and error.context_mark is not None:
        mark = error.context_mark
    line = mark.line + 1 if mark is not None else None
    written = _line_of(text, line)
    if "\t" in written[: len(written) - len(written.lstrip())]:
        found, hint = SYNTAX[0][1:]
    elif "${" in written:
        hint = "inside { } put ${NAME} in quotes"
    return Mistake(path, line, (), found, hint=hint)


def _line_of(text: str, line: int | None) -> str:
    lines = text.splitlines()
    return lines[line - 1] if line is not None and line <= len(lines) else ""
