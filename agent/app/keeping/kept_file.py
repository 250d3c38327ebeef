"""The file that one run leaves to the next: always whole, whichever moment the last one ended in."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from agent.app.keeping.kept_site import KeptSite, KeptSiteError

MOST_BYTES = 64 * 1024**2


class KeptFile:
    """Written beside its name and then renamed; any thread may write. After a final one nothing is written any more.

    Only the final one is synced to the disk. The others must outlive the process, and do so in the machine's memory;
    the machine's own restart takes longer than tracks are kept, and a sync a second wears out memory cards.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._is_final = False

    def read(self) -> KeptSite | None:
        """What the last run left; None where it left nothing.

        Raises:
            KeptSiteError: the file cannot be read or used.
        """
        try:
            with self.path.open("rb") as file:
                found = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeptSiteError(f"{self.path}: {error.strerror}") from error
        if len(found) > MOST_BYTES:
            raise KeptSiteError(f"{self.path}: it is larger than {MOST_BYTES} bytes")
        try:
            return KeptSite.from_json(found.decode())
        except ValueError as error:
            raise KeptSiteError(f"{self.path}: {error}") from error

    def write(self, site: KeptSite) -> None:
        """Replace it.

        Raises:
            OSError: it cannot be written; what was there stays.
        """
        text = site.to_json()
        with self._lock:
            if self._is_final:
                return
            part = self.path.with_name(f".{self.path.name}.part")
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                if site.is_final:
                    os.fsync(file.fileno())
            part.replace(self.path)
            self._is_final = site.is_final
