"""Disks that run full or go read-only: a real tmpfs, and a real ext4 in a file; both need the right to mount."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

PIECE = b"\0" * 4096
EXT4_ERRORS = Path("/sys/fs/ext4")


class SmallDisk:
    """A tmpfs of a few MiB at `folder`, for as long as it is entered."""

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.folder = folder
        self._size_mib = size_mib

    def __enter__(self) -> SmallDisk:
        self.folder.mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", f"size={self._size_mib}m", "tmpfs", str(self.folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fill(self) -> None:
        """Take all the room there is."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(PIECE)
            except OSError:
                return

    def free(self) -> None:
        """Give it back."""
        (self.folder / "filler").unlink()


class FailingDisk:
    """An ext4 that turns read-only on its first error, as a worn card does, with files on it open."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder = folder
        self._image = image
        self._device = ""

    def __enter__(self) -> FailingDisk:
        with self._image.open("wb") as file:
            file.truncate(32 * 1024**2)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=True, env=tools())
        self.folder.mkdir(parents=True, exist_ok=True)
        mount("-o", "loop,errors=remount-ro", str(self._image), str(self.folder))
        found = subprocess.run(
            ["findmnt", "--noheadings", "--output", "SOURCE", str(self.folder)], check=True, capture_output=True
        )
        self._device = Path(found.stdout.decode().strip()).name
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fail(self) -> None:
        """From now on nothing can be written."""
        (EXT4_ERRORS / self._device / "trigger_fs_error").write_text("worn out")

    def mend(self) -> None:
        """Make it writable again."""
        mount("-o", "remount,rw", str(self.folder))


def mount(*arguments: str) -> None:
    """Mount, or fail."""
    subprocess.run(["mount", *arguments], check=True, capture_output=True, env=tools())


def tools() -> dict[str, str]:
    """An environment in which the administrator's commands are found."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
