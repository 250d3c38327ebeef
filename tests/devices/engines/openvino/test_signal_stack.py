"""Closed engines leave no thread with a freed signal stack; in a process of its own, as the fault would end it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fakes.tiny_onnx import doubled

REPOSITORY = Path(__file__).resolve().parents[4]
PROGRAM = """
import gc, os, signal, sys, threading
from pathlib import Path
from devices.engines.engine import EngineRequest
from devices.engines.openvino.engine import load
from devices.inventory import Accelerator, AcceleratorKind

request = EngineRequest(Path(sys.argv[1]), Accelerator(AcceleratorKind.CPU, "CPU"))

def close_in_order():
    engines = [load(request) for _ in range(3)]
    while engines:
        engines.pop(0).close()

def close_elsewhere():
    engine = load(request)
    held = [engine.session()]
    engine.close()
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()

heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
{"in order": close_in_order, "elsewhere": close_elsewhere}[sys.argv[2]]()
gc.collect()
os.kill(os.getpid(), signal.SIGUSR1)
print(len(heard))
"""


@pytest.mark.parametrize("how", ["in order", "elsewhere"])
def test_a_signal_after_engines_were_closed(tmp_path: Path, how: str) -> None:
    """Engines closed oldest first, or their last session on another thread: the next signal is heard."""
    command = [sys.executable, "-c", PROGRAM, str(doubled().write(tmp_path)), how]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
