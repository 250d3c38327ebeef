"""The clips of a batch: found, and each given a name that no other has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.app.replay.site import camera_id_of
from agent.errors import ToolInputError

VIDEO_ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        "3gp", "264", "265", "asf", "avi", "flv", "h264", "h265", "hevc", "m2ts", "m4v", "mjpeg", "mjpg", "mkv", "mov",
        "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob", "webm", "wmv",
    )
)  # fmt: skip
# Results add an ending and a mark to it; file systems take 255 bytes.
LONGEST_NAME_BYTES = 200
LONGEST_CAMERA_ID = 63


@dataclass(frozen=True)
class Clip:
    """One file to be played.

    Attributes:
        path: absolute.
        name: of its results, without ending; no other clip's, also where small and capital letters are the same.
        camera_id: in its events; no other clip's.
    """

    path: Path
    name: str
    camera_id: str


def find_clips(given: Sequence[str]) -> list[Clip]:
    """The files named, and the video files in the folders named, in that order, each once.

    Names follow from the paths, not from their order: of clips with the same stem the first by path has it alone.

    Raises:
        ToolInputError: there is none.
    """
    expanded = (path for each in given for path in _expanded(Path(each)))
    # Not `resolve`: a link keeps the name that somebody gave it.
    paths = list(dict.fromkeys(Path(os.path.abspath(path)) for path in expanded))  # noqa: PTH100
    if not paths:
        raise ToolInputError(f"no clips: {', '.join(given)}: no video file in it (by its ending, such as .mp4)")
    by_path = sorted(paths)
    names = _distinct([_cut(path.stem) for path in by_path], LONGEST_NAME_BYTES)
    camera_ids = _distinct([camera_id_of(path.name) for path in by_path], LONGEST_CAMERA_ID)
    clips = {
        path: Clip(path, name, camera_id) for path, name, camera_id in zip(by_path, names, camera_ids, strict=True)
    }
    return [clips[path] for path in paths]


def _expanded(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path  # also where there is none: it fails by itself
        return
    for each in sorted(path.iterdir()):
        if each.suffix.lower() in VIDEO_ENDINGS and not each.name.startswith(".") and not each.is_dir():
            yield each


def _distinct(wished: Sequence[str], longest: int) -> list[str]:
    """Each as it is for the first who wishes it, and with -2, -3 for the others; never what another wishes."""
    taken = {wish.casefold() for wish in wished}
    seen: set[str] = set()
    names = []
    for wish in wished:
        name, number = wish, 2
        while name.casefold() in seen or (name != wish and name.casefold() in taken):
            ending = f"-{number}"
            name, number = _cut(wish, longest - len(ending)) + ending, number + 1
        seen.add(name.casefold())
        names.append(name)
    return names


def _cut(name: str, longest: int = LONGEST_NAME_BYTES) -> str:
    return os.fsencode(name)[:longest].decode("utf-8", "ignore") if len(os.fsencode(name)) > longest else name
