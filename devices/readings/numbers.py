"""Numbers in files of the kernel: a powered-down part, an empty and a missing file all tell none."""

from __future__ import annotations

from devices.probes.root import Root


def number(root: Root, path: str) -> float | None:
    """The file's number, or None where it tells none."""
    try:
        return float(root.text(path) or "")
    except ValueError:
        return None


def as_number(text: str | None) -> float | None:
    """The text's number, or None where it is none."""
    try:
        return float(text or "")
    except ValueError:
        return None
