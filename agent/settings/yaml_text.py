"""A site file's bytes as text, or the one reason why they are none."""

from __future__ import annotations

from pathlib import Path

import yaml

from agent.settings.mistake import Mistake

LARGEST_BYTES = 256 * 1024
TEXT = "a text file in UTF-8 that holds YAML"


class UnreadableFileError(Exception):
    """The file as a whole cannot be used; holds the one mistake."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def read_text(path: Path) -> str:
    """The text of a site file.

    Raises:
        UnreadableFileError: missing, a folder, unreadable, too large, binary or not UTF-8.
    """
    content = _read_bytes(path)
    if b"\0" in content:
        raise UnreadableFileError(Mistake(path, None, (), "a binary file", TEXT))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        unreadable = Mistake(path, line, (), found, TEXT, "save the file as UTF-8")
    else:
        control = yaml.reader.Reader.NON_PRINTABLE.search(text)
        if control is None:
            return text
        line = text.count("\n", 0, control.start()) + 1
        unreadable = Mistake(path, line, (), f"the control character U+{ord(control[0]):04X}", TEXT)
    raise UnreadableFileError(unreadable)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        found = "no such file"
    except IsADirectoryError:
        found = "a folder"
    except OSError as error:
        found = f"cannot be read ({error.strerror})"
    else:
        if len(content) <= LARGEST_BYTES:
            return content
        found = f"more than {LARGEST_BYTES // 1024} KiB"
    raise UnreadableFileError(Mistake(path, None, (), found, TEXT))
