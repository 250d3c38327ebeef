"""One MQTT message before it is sent."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """One MQTT message before it is sent; who sends it knows its quality of service."""

    topic: str
    payload: bytes
