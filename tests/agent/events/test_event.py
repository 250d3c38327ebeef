"""Boxes as they leave the agent."""

from __future__ import annotations

import pytest

from agent.events.event import Box, clip, fraction


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        ((10.0, 20.0, 30.0, 40.0), (10.0, 20.0, 30.0, 40.0)),
        ((-5.0, -6.0, 30.0, 40.0), (0.0, 0.0, 30.0, 40.0)),
        ((600.0, 400.0, 700.0, 500.0), (600.0, 400.0, 640.0, 480.0)),
        ((700.0, 500.0, 800.0, 600.0), (640.0, 480.0, 640.0, 480.0)),
    ],
)
def test_boxes_are_cut_at_the_frame(box: Box, clipped: Box) -> None:
    """What lies outside the frame is cut off; a box wholly outside shrinks to nothing."""
    assert clip(box, (640, 480)) == clipped


def test_fractions_are_of_the_frame() -> None:
    """The whole frame is 0 to 1 on both axes."""
    assert fraction((0.0, 120.0, 640.0, 480.0), (640, 480)) == (0.0, 0.25, 1.0, 1.0)
