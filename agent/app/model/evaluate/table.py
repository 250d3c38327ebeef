"""A table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> Iterator[str]:
    """Columns as wide as they need be; the first `texts` of them to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = zip(row, widths, strict=True)
        aligned = [
            cell.ljust(width) if place < texts else cell.rjust(width) for place, (cell, width) in enumerate(cells)
        ]
        yield "  ".join(aligned).rstrip()
