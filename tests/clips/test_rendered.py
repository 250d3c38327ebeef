from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from clips.rendered import COLOURS_BGR, Square, render_clip


@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg4"])
def test_squares_are_where_the_truth_says(tmp_path: Path, codec: str) -> None:
    """Every box of the truth holds its colour after decoding, in every codec."""
    truth = render_clip(tmp_path / "clip.mp4", seconds=2, codec=codec)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]

    assert len(pictures) == len(truth.frames) == 20
    for picture, boxes in zip(pictures, truth.frames, strict=True):
        for box in boxes:
            middle = picture[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)].reshape(-1, 3).mean(axis=0)
            assert np.abs(middle - COLOURS_BGR[box.class_id]).max() < 40


def test_both_squares_come_and_go(tmp_path: Path) -> None:
    """The default clip shows the red square alone first, then both, and half squares at the border."""
    truth = render_clip(tmp_path / "clip.mp4")
    numbers = [{box.number for box in boxes} for boxes in truth.frames]

    assert numbers[5] == {1}
    assert numbers[25] == {1, 2}
    assert any(0 < box.x2 - box.x1 < 64 for boxes in truth.frames for box in boxes)


def test_no_b_frames_and_a_key_frame_each_second(tmp_path: Path) -> None:
    """Packets come in display order and each second can be entered."""
    render_clip(tmp_path / "clip.mp4", seconds=3)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]

    assert [p.pts for p in packets] == sorted(p.pts for p in packets)
    assert [i for i, packet in enumerate(packets) if packet.is_keyframe] == [0, 10, 20]


def test_audio_and_own_squares(tmp_path: Path) -> None:
    """A clip may carry sound, and squares of the caller's own."""
    still = Square(7, 1, 0.0, 1.0, (100, 100), (100, 100))
    truth = render_clip(tmp_path / "clip.mp4", seconds=1, squares=[still], audio=True)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        kinds = {stream.type for stream in container.streams}

    assert kinds == {"video", "audio"}
    assert all(boxes == ((7, 1, 100, 100, 164, 164),) for boxes in truth.frames)
