"""Times beside another package's tracker, which runs in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from agent.errors import EvaluatorError
from agent.evaluation.speed.contender import OurContender
from agent.evaluation.speed.peer import PeerContender, installed_peers
from agent.evaluation.speed.scenes import HEIGHT_PX, WIDTH_PX, scene
from agent.evaluation.speed.turns import median_update_us
from trackers import ByteTrackSettings

# Looks like the real one; takes a while for every box, and fails when it is told to.
PEER = """
import time

class BYTETracker:
    def __init__(self, track_thresh, track_buffer, match_thresh, frame_rate):
        self.updates = 0

    def update(self, rows, img_info, img_size):
        assert rows.shape[1] == 5 and rows.dtype == float
        end = time.thread_time() + len(rows) * 2e-6
        while time.thread_time() < end:
            pass
        self.updates += 1
        if self.updates == FAILS_AT:
            raise RuntimeError("no more")
"""


def environment(folder: Path, peer: str | None) -> Path:
    """An interpreter with our NumPy and, perhaps, that peer."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (packages / "numpy.pth").write_text(str(Path(np.__file__).parents[1]) + "\n")
    if peer is not None:
        (packages / "cjm_byte_track").mkdir()
        (packages / "cjm_byte_track" / "__init__.py").touch()
        (packages / "cjm_byte_track" / "core.py").write_text(peer)
        (packages / "cjm_byte_track-9.9.dist-info").mkdir()
        about = "Metadata-Version: 2.1\nName: cjm-byte-track\nVersion: 9.9\n"
        (packages / "cjm_byte_track-9.9.dist-info" / "METADATA").write_text(about)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("peers"), f"FAILS_AT = 0\n{PEER}")


def test_both_take_turns_on_the_same_scene(python: Path) -> None:
    """Each has a median of its own, of the same kind of seconds."""
    ours = OurContender("default", ByteTrackSettings(), time.thread_time)
    assert installed_peers(python) == {"cjm-byte-track": "9.9"}

    with PeerContender(python, "cjm-byte-track", "9.9") as peer:
        assert peer.name == "cjm-byte-track 9.9"
        few, many = (median_update_us([ours, peer], count) for count in (3, 30))

    assert 0.0 < few[0] < many[0]
    assert 5.0 < few[1] < many[1]


def test_a_peer_that_fails_says_why(tmp_path: Path) -> None:
    """With its own last words; its process is gone."""
    python = environment(tmp_path, f"FAILS_AT = 7\n{PEER}")

    with PeerContender(python, "cjm-byte-track", "9.9") as peer:
        peer.begin(scene(3))
        assert len(peer.spend_s(range(5))) == 5
        with pytest.raises(EvaluatorError, match=r"cjm-byte-track 9\.9 failed: RuntimeError: no more"):
            peer.spend_s(range(5, 10))


def test_a_new_scene_is_a_new_tracker(tmp_path: Path) -> None:
    """What a peer was shown before does not count."""
    python = environment(tmp_path, f"FAILS_AT = 7\n{PEER}")

    with PeerContender(python, "cjm-byte-track", "9.9") as peer:
        for _ in range(3):
            peer.begin(scene(3))
            assert len(peer.spend_s(range(5))) == 5


def test_an_interpreter_without_a_peer(tmp_path: Path) -> None:
    """Told with what to install."""
    with pytest.raises(EvaluatorError, match="has no tracker to compare with; install cjm-byte-track"):
        installed_peers(environment(tmp_path, None))


@pytest.mark.parametrize("program", ["nowhere/python", "/bin/false"])
def test_what_is_no_interpreter(program: str) -> None:
    """Told in a sentence, too."""
    with pytest.raises(EvaluatorError, match=f"{program} cannot be run as a Python"):
        installed_peers(Path(program))


def test_scenes_are_alike_everywhere() -> None:
    """The same count is the same scene; objects are about in the picture, and a few are missed."""
    first, again = scene(50, frames=20), scene(50, frames=20)
    boxes = np.concatenate([frame.boxes for frame in first])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2

    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
    assert 0.9 < len(boxes) / (50 * 20) < 1.0
    assert ((centres > -100) & (centres < (WIDTH_PX + 100, HEIGHT_PX + 100))).all()
