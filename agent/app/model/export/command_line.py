"""What can be asked of `sitewatch model export`. Imports nothing that is slow."""

from __future__ import annotations

import argparse

DESCRIPTION = "TODO"
MORE = "TODO"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.set_defaults(verb="agent.app.model.export.verb:main")
