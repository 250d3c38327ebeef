"""Ports for servers whose port must stay the same while they are stopped and started."""

from __future__ import annotations

import random
import socket

# Below the range systems take ports from for outgoing connections, so that none of those lands on a port whose server
# is away for a moment; and by chance, so that two runs at once do not meet.
LOWEST, HIGHEST = 10_000, 32_000
TRIES = 200


def free_port() -> int:
    """A TCP port of the loopback that nobody has now."""
    for _ in range(TRIES):
        port = random.SystemRandom().randrange(LOWEST, HIGHEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port between {LOWEST} and {HIGHEST}")
