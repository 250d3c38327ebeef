"""What a worker may say, and what becomes of one that says something else."""

from __future__ import annotations

import ast
import json
import socket
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes.worker_bench import PROGRAM, ask, open_moody
from fakes.worker_runtimes.moody import NONSENSE, PRINT

from devices.engines.worker.engine_worker import Lane, LaneClosed
from devices.engines.worker.unnamed_memory import unnamed_memory
from devices.engines.worker.worker_order import HERE, WorkerLost
from devices.errors import EngineUnavailable, InferenceError

ALLOWED = {"numpy", "onnxruntime", "openvino", "tensorrt", "pycuda"}
PATCHED = """
import runpy, sys
sys.path.insert(0, {folder!r})
import engine_worker
{patch}
engine_worker.main(sys.argv[1:])
"""
LIES = {
    "a number of its own": 'answer["number"] += 1',
    "memory beyond the end": 'answer["tensors"][0][3] = 1 << 40',
    "memory before the start": 'answer["tensors"][0][3] = -64',
    "a shape below nothing": 'answer["tensors"][0][2] = [-1, 3]',
    "a dtype of objects": 'answer["tensors"][0][1] = "object"',
    "no dtype": 'answer["tensors"][0][1] = "flat"',
    "no rows": 'answer["tensors"] = 7',
    "no tensors": 'del answer["tensors"]',
}


def patched(folder: Path, patch: str) -> Path:
    """A worker program that is ours but for a patch."""
    path = folder / "patched_worker.py"
    path.write_text(PATCHED.format(folder=str(HERE), patch=patch), encoding="utf-8")
    return path


def lying(folder: Path, lie: str) -> Path:
    """A worker that changes its third answer."""
    patch = "real, count = engine_worker._answer, [0]\ndef lie(*arguments):\n    answer = real(*arguments)\n"
    patch += f"    count[0] += 1\n    if count[0] == 2:\n        {lie}\n    return answer\nengine_worker._answer = lie"
    return patched(folder, patch)


def test_printing_disturbs_nothing() -> None:
    """Megabytes on standard output and error neither reach the protocol nor stay in memory."""
    with open_moody() as engine:
        session = engine.session()
        assert [ask(session, PRINT) for _ in range(300)] == [PRINT * 2] * 300
        assert ask(session, 1) == 2


def test_another_protocol(tmp_path: Path) -> None:
    """A worker of another release is refused at the start, with both numbers."""
    program = patched(tmp_path, "engine_worker.PROTOCOL = 99")
    with pytest.raises(EngineUnavailable, match="speaks protocol 99, this agent 1"), open_moody(program=program):
        pass


@pytest.mark.parametrize("content", [b"Welcome!\n" * 99, b"\0\0\0\x02[]", b"\0\0\0\x02{{", b"\0\0\0\x02\xff\xfe"])
def test_garbage_instead_of_hello(tmp_path: Path, content: bytes) -> None:
    """What is no frame of the protocol ends the worker."""
    program = tmp_path / "garbage.py"
    words = (
        f"import socket, sys\nlane = socket.socket(fileno=int(sys.argv[3].split(':')[0]))\nlane.sendall({content!r})\n"
    )
    program.write_text(words + "lane.recv(1)\n", encoding="utf-8")

    with pytest.raises(EngineUnavailable, match="answered nonsense"), open_moody(program=program):
        pass


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_worker_that_lies(tmp_path: Path, lie: str) -> None:
    """An answer against the rules costs the worker, never the agent, and the next call works."""
    with open_moody(program=lying(tmp_path, lie)) as engine:
        session = engine.session()
        assert ask(session, 1) == 2

        with pytest.raises(WorkerLost, match="answered nonsense"):
            ask(session, 2)

        assert ask(session, 3) == 6


def test_an_output_under_another_name() -> None:
    """Outputs that the engine does not have are nonsense too."""
    with open_moody() as engine, pytest.raises(WorkerLost, match="answered nonsense"):
        ask(engine.session(), NONSENSE)


def test_wrong_tensors_never_reach_it() -> None:
    """What the model does not take is refused in the agent."""
    with open_moody() as engine:
        session = engine.session()
        with pytest.raises(InferenceError, match="x takes float32"):
            session.infer({"x": np.zeros((2, 3))})
        assert ask(session, 1) == 2


def test_tensors_of_every_size() -> None:
    """Nothing, a scalar, and more than the memory held before go over and come back."""
    ours, theirs = socket.socketpair()
    memory = unnamed_memory("test")
    lane, other = Lane(ours, memory), Lane(theirs, -1)
    for shape in ((), (0, 4), (3,), (1, 700, 1000), (2, 2)):
        tensors = {"a": np.full(shape, 7, np.uint8), "b": np.full(shape, 0.5, np.float16)}
        views = lane.views(lane.put(tensors))
        assert all(np.array_equal(views[name], array) for name, array in tensors.items())
        assert all(views[name].dtype == array.dtype for name, array in tensors.items())
        del views
    lane.close()
    with pytest.raises(LaneClosed):
        other.receive(1)
    other.close()


def test_a_frame_in_pieces() -> None:
    """Frames may come in pieces or two at once."""
    ours, theirs = socket.socketpair()
    lane = Lane(ours, -1)
    frames = b"".join(struct.pack("!I", len(each)) + each for each in (json.dumps({"n": n}).encode() for n in (1, 2)))
    theirs.sendall(frames[:3])
    with pytest.raises(TimeoutError):
        lane.receive(0.01)
    theirs.sendall(frames[3:])
    assert [lane.receive(1), lane.receive(1)] == [{"n": 1}, {"n": 2}]
    theirs.close()
    lane.close()


@pytest.mark.parametrize("path", [PROGRAM, *sorted((HERE / "runtimes").glob("*.py"))], ids=lambda path: path.name)
def test_python_3_8_can_read_it(path: Path) -> None:
    """What runs in the worker keeps to the syntax of Python 3.8, to NumPy and the run-time."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported <= ALLOWED | set(sys.stdlib_module_names)
