from __future__ import annotations

import numpy as np
import pytest

from agent.stream.due import DueGate


def count_due(gate: DueGate, times: list[float]) -> int:
    return sum(gate.is_due(at) for at in times)


@pytest.mark.parametrize(("camera_fps", "detect_fps"), [(30, 10), (25, 10), (12, 10), (10, 10), (30, 7), (29.97, 15)])
def test_the_rate_is_kept(camera_fps: float, detect_fps: float) -> None:
    """Over ten seconds as many frames are due as asked for, also where the rates do not divide."""
    gate = DueGate(detect_fps)
    times = [i / camera_fps for i in range(int(10 * camera_fps))]

    assert count_due(gate, times) == pytest.approx(10 * detect_fps, abs=1)


def test_jitter_costs_no_frame() -> None:
    """A camera of ten frames a second with 10 ms of jitter is detected in at every frame when ten are asked for."""
    rng = np.random.default_rng(3)
    times = [100 + i / 10 + rng.uniform(-0.01, 0.01) for i in range(200)]

    assert count_due(DueGate(10), times) == 200


def test_a_slow_camera_gives_every_frame() -> None:
    """What comes more rarely than asked for is always due."""
    assert count_due(DueGate(10), [i / 4 for i in range(40)]) == 40


def test_a_gap_is_not_made_up_for() -> None:
    """After a pause frames are due at the asked rate, not in a burst."""
    gate = DueGate(10)
    count_due(gate, [i / 30 for i in range(30)])

    assert count_due(gate, [100 + i / 30 for i in range(30)]) == pytest.approx(10, abs=1)


def test_without_a_rate_every_frame_is_due() -> None:
    """None lets everything through."""
    assert count_due(DueGate(None), [0.0, 0.0, 0.001]) == 3
