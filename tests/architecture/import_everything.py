"""Imports every module of ours where nothing may happen by it; run by the test in an interpreter of its own."""

from __future__ import annotations

import importlib
import importlib.abc
import os
import pkgutil
import sys
import threading
from typing import Any, NoReturn

RUNTIMES = ("onnxruntime", "openvino", "tensorrt", "pycuda", "coremltools", "tritonclient", "amqtt", "trackeval",
            "scipy")  # fmt: skip
FORBIDDEN_AUDITS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect",
                    "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "os.mkdir", "os.remove")  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class NoRuntime(importlib.abc.MetaPathFinder):
    """Run-times and the broker for trying out are not installed here."""

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse the names on the list."""
        if name.split(".", maxsplit=1)[0] in RUNTIMES:
            raise ModuleNotFoundError(f"{name} is not to be imported", name=name)


def refuse_thread(thread: threading.Thread) -> NoReturn:
    """No thread starts by an import."""
    raise AssertionError(f"an import started the thread {thread.name}")


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what acts on the world."""
    if event.startswith(FORBIDDEN_AUDITS):
        raise AssertionError(f"an import did {event}{arguments}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        raise AssertionError(f"an import opened {arguments[0]} for writing")


def main() -> None:
    """Import each package named, and all in it."""
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, NoRuntime())
    threading.Thread.start = refuse_thread  # type: ignore[method-assign] # this interpreter ends soon
    sys.addaudithook(watch)
    for name in sys.argv[1:]:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
            sys.stdout.write(f"{module.name}\n")


if __name__ == "__main__":
    main()
