"""The one file of a `multipart/form-data` body, from bytes that are in memory already."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from agent.serve.refusal import Code, RefusedRequestError

NAME = "image"
MULTIPART = "multipart/form-data"


def picture_of(content: bytes, content_type: str) -> bytes:
    """The picture in a body: its one part called `image` where it is a form, else the body itself.

    Raises:
        RefusedRequestError: a form without that part, with others beside it, or damaged.
    """
    kind, options = parse_options_header(content_type)
    if kind.decode("latin-1").lower() != MULTIPART:
        return content
    boundary = options.get(b"boundary")
    if not boundary:
        raise _refused("the header Content-Type names no boundary")
    return _one(_parts(content, boundary))


@dataclass(eq=False)
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        _, options = parse_options_header(self.headers.get("content-disposition", b""))
        return options.get(b"name", b"").decode("utf-8", "replace")


class _Reading:
    """What the parser found so far."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.is_whole = False
        self._field = b""
        self._value = b""

    def on_part_begin(self) -> None:
        self.parts.append(_Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self.parts[-1].headers[self._field.decode("latin-1").lower()] = self._value
        self._field = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].chunks.append(data[start:end])

    def on_end(self) -> None:
        self.is_whole = True


def _parts(content: bytes, boundary: bytes) -> list[_Part]:
    reading = _Reading()
    names = ("on_part_begin", "on_header_field", "on_header_value", "on_header_end", "on_part_data", "on_end")
    try:
        parser = MultipartParser(boundary, {name: getattr(reading, name) for name in names})  # type: ignore[arg-type] # its TypedDict knows these names
        parser.write(content)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise _refused(f"the form is damaged: {error}") from error
    if not reading.is_whole:
        raise _refused("the form ends before its last boundary")
    return reading.parts


def _one(parts: list[_Part]) -> bytes:
    names = [part.name for part in parts]
    if names != [NAME]:
        found = ", ".join(repr(name[:40]) for name in names[:5]) or "none"
        raise _refused(f"found the parts {found}")
    return b"".join(parts[0].chunks)


def _refused(found: str) -> RefusedRequestError:
    return RefusedRequestError(Code.BAD_MULTIPART, f"{found}; allowed: one part called '{NAME}' that holds the picture")
