"""The option that says how large a model's inputs are, of the tools that have one. Imports nothing that is slow."""

from __future__ import annotations

import argparse


def add_shape_option(parser: argparse.ArgumentParser) -> None:
    """Add `--shape`; the options then have `shapes`, a list of (name, axes)."""
    parser.add_argument(
        "--shape",
        dest="shapes",
        metavar="INPUT=AxBxC",
        type=_shape,
        action="append",
        default=[],
        help="size of an input that leaves it open: images=1x3x640x640; may be given again",
    )


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, axes = text.rpartition("=")
    sizes = axes.lower().split("x")
    if not name or not all(size.isascii() and size.isdigit() and int(size) > 0 for size in sizes):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is INPUT=1x3x640x640, whole numbers from 1")
    return name, tuple(int(size) for size in sizes)
