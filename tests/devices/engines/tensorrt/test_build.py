"""Building in a real child process, whose TensorRT is a fake that can crash, hang and refuse."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.nvidia_machine import GPU, NvidiaMachine, nvidia_machine
from fakes.tiny_onnx import doubled

from devices.engines.engine import BuildProgress, BuildWatch, Engine, EngineRequest
from devices.errors import EngineLoadError


@pytest.fixture
def nvidia(monkeypatch: pytest.MonkeyPatch) -> Iterator[NvidiaMachine]:
    with nvidia_machine(monkeypatch, "10.3.0") as machine:
        yield machine
        machine.assert_clean()


def make(nvidia: NvidiaMachine, folder: Path, watch: BuildWatch | None = None, behaviour: str = "") -> Engine:
    nvidia.builds_with(behaviour)
    request = EngineRequest(doubled().write(folder), GPU, build=watch or BuildWatch(), cache_dir=folder / "cache")
    return nvidia.load(request, is_child=True)


def test_progress_is_told_on_the_thread_that_loads(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """Steps come with TensorRT's own fraction; inner phases by the thousand are left out."""
    told: list[tuple[BuildProgress, str]] = []

    watch = BuildWatch(lambda progress: told.append((progress, threading.current_thread().name)))
    make(nvidia, tmp_path, watch).close()

    steps = [progress.step for progress, _ in told]
    assert steps[0] == "starting TensorRT"
    assert "building the engine" in steps
    assert [progress.fraction for progress, _ in told if progress.step == "Building Engine"] == [
        *(0.0, 0.25, 0.5, 0.75, 1.0),
        1.0,
    ]
    assert {name for _, name in told} == {threading.current_thread().name}


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("crash", r"the build was ended: it crashed \(SIGSEGV\)"),
        ("build_none", "no engine was built: Error Code 10: could not find any implementation for node y"),
        ("parse", "does not take the model: node Frobnicate_0"),
        ("no_start", "the builder does not start: CUDA initialization failure"),
    ],
)
def test_a_build_that_fails(nvidia: NvidiaMachine, tmp_path: Path, behaviour: str, sentence: str) -> None:
    """A crash or a refusal over there is an error here, with TensorRT's own words; the next build works."""
    with pytest.raises(EngineLoadError, match=sentence):
        make(nvidia, tmp_path, behaviour=behaviour)

    make(nvidia, tmp_path).close()


def test_a_build_past_its_deadline(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The process is ended, and nothing of it stays."""
    began = time.monotonic()

    with pytest.raises(EngineLoadError, match="the build was ended: no engine within 2 s"):
        make(nvidia, tmp_path, BuildWatch(deadline_s=2.0), "hang")

    assert time.monotonic() - began < 15
    assert children_named("build_child") == []


def test_who_is_told_may_give_up(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """An exception of who is told ends the build, and its process."""

    def stop(_progress: BuildProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(nvidia, tmp_path, BuildWatch(stop), "hang")

    assert children_named("build_child") == []


def test_a_build_ends_with_who_asked_for_it(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """Killed without a word, the parent leaves no build behind that nobody would wait for."""
    nvidia.builds_with("hang")
    script = tmp_path / "asks.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom devices.engines.engine import BuildWatch\n"
        "from devices.engines.tensorrt.build import build\nfrom devices.engines.tensorrt.order import BuildOrder\n"
        "order = BuildOrder(0, None, False, (), (), None, False, {}, 1, 0.2, 64)\n"
        "build(Path(sys.argv[1]).read_bytes(), order, BuildWatch(lambda told: print(told.step, flush=True)))\n"
    )
    model = doubled().write(tmp_path)
    paths = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(
        [sys.executable, str(script), str(model)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
    ) as parent:
        assert parent.stdout is not None
        assert any(b"building the engine" in line for line in parent.stdout)
        assert len(children_named("build_child")) == 1
        parent.kill()

    deadline_s = time.monotonic() + 10
    while children_named("build_child") and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert children_named("build_child") == []


def children_named(word: str) -> list[str]:
    """Command lines of this machine's processes that hold a word."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [line] if word in line else []
    return found
