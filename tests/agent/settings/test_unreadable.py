"""Files that are no site file at all: one mistake, with its line, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings.load import load_site, read_site

BOMB = "x-a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"x-{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcde", "bcdef", strict=True)
)

FILES = [
    ("empty", b"", None, "an empty file"),
    ("only comments", b"# nothing\n---\n", None, "an empty file"),
    ("binary", b"\x7fELF\0\0\1", None, "a binary file"),
    ("Latin-1", b"site: a\nbase_topic: caf\xe9\n", 2, "the byte 0xe9, which is not UTF-8"),
    ("UTF-16", "site: a\n".encode("utf-16"), None, "a binary file"),
    ("control character", b"site: a\n\n# \x07\n", 3, "the control character U+0007"),
    ("list", b"- site: a\n", 1, "a list"),
    ("text", b"site\n", 1, "a single text"),
    ("tab as indentation", b"site: a\nhttp:\n\tport: 1\n", 3, "a tab (indent and separate with spaces)"),
    ("tab after spaces", b"http:\n  host: a\n \tport: 1\n", 3, "a tab"),
    ("tab before a value", b"site: \tharbour\n", 1, "a tab"),
    ("open quote", b"site: a\nbase_topic: 'x\nsink: y\n", 2, "a quote that is never closed"),
    ("open bracket", b"log: {level: info\nsite: a\n", 2, "a bracket that is never closed"),
    ("variable in brackets", b"http: {token: ${X}}\n", 1, "inside { } put ${NAME} in quotes"),
    ("wrong indentation", b"http:\n    host: a\n  port: 1\n", 3, "indentation fits no line above"),
    ("two colons", b"site: a\nbase_topic: b: c\n", 2, "a ':' where no key can be"),
    ("no colon", b"site: a\nsink\nlog: {}\n", 3, "a key without ':' after it"),
    ("two documents", b"site: a\n---\nsite: b\n", 2, "a second document after ---"),
    ("reserved character", b"site: @a\n", 1, "a character that YAML keeps for itself"),
    ("backslash", b'site: "\\q"\n', 1, "a backslash that means nothing"),
    ("too deep", b"x: " + b"[" * 5000 + b"]" * 5000, 1, "more than 24 levels of nesting"),
    ("too large", b"# " + b"x" * 300_000, None, "more than 256 KiB"),
    ("alias in itself", b"log: &a {level: *a}\n", 1, "anchors that unfold without end"),
    ("alias bomb", BOMB.replace("x-", "y").encode(), None, "more than 20000 values"),
    ("merge in itself", b"log: &a\n  level: info\n  <<: *a\n", 1, "anchors that unfold without end"),
]


@pytest.mark.parametrize(("content", "line", "tells"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_is_told_in_one_mistake(tmp_path: Path, content: bytes, line: int | None, tells: str) -> None:
    """The report has the reason, and the line where there is one."""
    path = tmp_path / "site.yaml"
    path.write_bytes(content)

    site, mistakes = read_site(path, {})

    assert site is None
    assert len(mistakes) == 1
    assert tells in str(mistakes[0])
    if line is not None:
        assert mistakes[0].line == line


@pytest.mark.parametrize(("name", "tells"), [("gone.yaml", "no such file"), (".", "a folder"), ("x" * 300, "too long")])
def test_path_is_no_file(tmp_path: Path, name: str, tells: str) -> None:
    """A path that leads to no file is told with the path."""
    with pytest.raises(SettingsError) as raised:
        load_site(tmp_path / name, {})

    assert f"{tmp_path / name}: " in str(raised.value)
    assert tells in str(raised.value)


def test_windows_text_is_read(tmp_path: Path) -> None:
    """A byte order mark and CRLF line ends do no harm."""
    path = tmp_path / "site.yaml"
    path.write_bytes(b"\xef\xbb\xbfsite: a\r\nmodel: motion\r\nbroker: embedded\r\ncameras: {a: {source: 0}}\r\n")

    assert load_site(path, {}).site == "a"
