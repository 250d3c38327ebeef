"""`sitewatch version`."""

from __future__ import annotations

import argparse
import platform

from agent import __version__
from agent.app.saying import say


def main(_options: argparse.Namespace) -> int:
    """Print the version, and what it runs on."""
    say(f"sitewatch {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
    return 0
