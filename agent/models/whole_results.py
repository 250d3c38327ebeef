"""Files and folders appear under their names only when all of them are whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from agent.errors import OutputError

Content: TypeAlias = bytes | Path
"""What a file holds: these bytes, or what this file holds."""
Folder: TypeAlias = Mapping[str, Content]
"""Files of a folder by their path in it, "1/model.onnx" say."""
Tree: TypeAlias = "Mapping[str, Content | Tree]"
"""Files and folders of a folder by their names; a folder may be empty."""


def write_results(within: Path, results: Mapping[str, Content | Folder | Tree]) -> int:
    """Write everything onto the disk first, beside `within`, then move it there; what was there is replaced.

    Others see the moves only. Where one fails, those done are undone.

    Args:
        within: the folder that all results lie in; made where it is not there.
        results: path below `within` to content.

    Returns:
        Bytes written.

    Raises:
        OutputError: the disk is full, a folder cannot be written, or a file to copy cannot be read; nothing changed.
    """
    try:
        with contextlib.ExitStack() as stack:
            _make_folders(stack, [(within / name).parent for name in results])
            staging = _staging(stack, within)
            staged = {within / name: staging / f"new{number}" for number, name in enumerate(results)}
            for place, content in zip(staged.values(), results.values(), strict=True):
                _write(place, content)
            size = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
            _move_all(staged)
            return size
    except OSError as error:
        raise OutputError(f"{within} cannot be written: {_reason(error)}; nothing was changed there") from error


def holds(path: Path, content: Content) -> bool:
    """Whether a file is there that holds just this."""
    try:
        return path.read_bytes() == (content.read_bytes() if isinstance(content, Path) else content)
    except OSError:
        return False


def _make_folders(stack: contextlib.ExitStack, folders: list[Path]) -> None:
    """Those that are left empty in the end go again."""
    for folder in folders:
        for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            missing.mkdir()
            stack.callback(_remove_if_empty, missing)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _staging(stack: contextlib.ExitStack, within: Path) -> Path:
    """A folder beside `within`, or in it where that is another disk, or may not be written.

    A server that watches `within` must not take what is half written for a model.
    """
    within = within.resolve()
    is_one_disk = within.parent.stat().st_dev == within.stat().st_dev
    above = within.parent if is_one_disk and os.access(within.parent, os.W_OK) else within
    staging = Path(tempfile.mkdtemp(dir=above, prefix=f".{within.name}.part"))
    stack.callback(shutil.rmtree, staging, ignore_errors=True)
    return staging


def _write(place: Path, content: Content | Folder | Tree) -> None:
    if isinstance(content, Mapping):
        place.mkdir()
        for name, each in content.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            _write(place / name, each)
        return
    with place.open("wb") as target:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
        else:
            target.write(content)
        target.flush()
        os.fsync(target.fileno())


def _move_all(staged: Mapping[Path, Path]) -> None:
    with contextlib.ExitStack() as undoing:
        for path, place in staged.items():
            if path.exists() or path.is_symlink():
                aside = place.with_name(f"{place.name}.old")
                path.rename(aside)
                undoing.callback(aside.rename, path)
            place.rename(path)
            undoing.callback(path.rename, place)
        undoing.pop_all()
    for folder in {path.parent for path in staged}:
        _settle(folder)


def _settle(folder: Path) -> None:
    """Names on the disk for sure, where the file system can."""
    with contextlib.suppress(OSError), _opened(folder) as handle:
        os.fsync(handle)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _reason(error: OSError) -> str:
    about = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{about}"
