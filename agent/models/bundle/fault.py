"""What is wrong with a bundle, before it is known which file that is."""

from __future__ import annotations


class FaultError(ValueError):
    """What was found, as a sentence without the bundle's name in front; whoever opened the bundle puts that there."""
