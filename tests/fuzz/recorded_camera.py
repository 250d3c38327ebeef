"""What a real RTSP server answers to our own client, request by request, as bytes to be spoilt and said again."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

MOST_BYTES = 60_000
END_S = 10.0


def record(port: int, watch: Callable[[int], None]) -> list[bytes]:
    """Let somebody watch a camera through us; the server's answers, the first frames with the last one.

    Args:
        port: of the real server, on this machine.
        watch: opens the camera at the port it is given, and looks at a frame or more.
    """
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_pass_on, args=(listener, port, answers), name="recorder")
        thread.start()
        watch(int(listener.getsockname()[1]))
        thread.join(END_S)
    return answers


def _pass_on(listener: socket.socket, port: int, answers: list[bytes]) -> None:
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as server, suppress(ConnectionError):
        while sum(map(len, answers)) < MOST_BYTES:
            readable, _, _ = select.select([client, server], [], [], END_S)
            if client in readable:
                if not (request := client.recv(65_536)):
                    return
                answers.append(b"")
                server.sendall(request)
            if server in readable:
                if not (heard := server.recv(65_536)):
                    return
                answers[-1] += heard
                client.sendall(heard)
