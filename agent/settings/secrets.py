"""Where a secret may come from: the text itself, ${NAME} of the environment, !file PATH."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from agent.settings.mistake import KeyPath
from agent.settings.types import RefusedError, Secret
from agent.settings.types.secret import ALLOWED
from agent.settings.types.site_path import resolve
from agent.settings.yaml_nodes import PLAIN
from agent.settings.yaml_reader import KNOWN_TAGS, REFERENCE, Document, plain_value

LARGEST_BYTES = 64 * 1024
_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class SecretSource:
    """Reads secrets for one site file; a mistake names variable or file, never a value.

    Attributes:
        environ: the environment.
        folder: where relative paths start.
    """

    environ: Mapping[str, str]
    folder: Path

    def read(self, node: yaml.ScalarNode, at: KeyPath, document: Document) -> Secret | None:
        """The secret a scalar stands for; None for null and where a mistake was noted."""
        if node.tag == PLAIN and plain_value(node.value) is None:
            return None
        try:
            return Secret.parse(self._text(node))
        except RefusedError as error:
            document.add(at, _found(node), error.allowed, error.hint)
            return None

    def _text(self, node: yaml.ScalarNode) -> str:
        text = str(node.value)
        if node.tag == "!file":
            return self._from_file(text)
        if node.tag not in KNOWN_TAGS:
            raise RefusedError(ALLOWED, "the value begins with !: put it in quotes")
        whole = _NAME.fullmatch(text)
        if whole:
            return self._variable(whole[1])
        if REFERENCE.search(text):
            raise RefusedError(ALLOWED, "${NAME} stands alone; a password that holds ${ itself goes into a file")
        return text

    def _variable(self, name: str) -> str:
        text = self.environ.get(name)
        if text is None:
            raise RefusedError("a variable that is set", f"the environment variable {name} is not set")
        if not text:
            raise RefusedError("a variable that is set", f"the environment variable {name} is empty")
        return text

    def _from_file(self, written: str) -> str:
        path = resolve(_NAME.sub(lambda name: self._variable(name[1]), written.strip()), self.folder)
        try:
            content = _content(path)
        except OSError as error:
            raise RefusedError("a file with the secret", f"{path}: {error.strerror}") from error
        try:
            text = content.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            text = ""
        if not text or not text.isprintable():
            raise RefusedError("a file with the secret", f"{path} is empty, or not one line of UTF-8 text")
        return text


def _content(path: Path) -> bytes:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise RefusedError("a file with the secret", f"{path} is not a file")
    if mode & stat.S_IROTH:
        raise RefusedError("a file that others cannot read", f"chmod o-rwx {path}")
    with path.open("rb") as file:
        return file.read(LARGEST_BYTES)


def _found(node: yaml.ScalarNode) -> str:
    """What was written, if it only refers to a secret."""
    if node.tag == PLAIN and not node.value:
        return "found nothing"
    if node.tag == "!file":
        return f"found !file {node.value}"
    return f"found {node.value}" if _NAME.fullmatch(node.value) else "found ***"
