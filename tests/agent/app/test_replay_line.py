"""`sitewatch replay` end to end on a rendered clip, with a detector of each family that knows the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from clips.rendered import Truth
from fakes.payload_schemas import validator
from models.square_detectors import FAMILIES, NOTED, build_detector
from replays.replaying import FPS, INPUT_PX, SIZE_PX, SQUARES, Replayed, iou, lives, render, replay

from agent.app.replay.drawing import PALETTE

LABELS = ("red", "blue")
FRAME_S = 1 / FPS
# Frames that a track may begin late: the tracker wants two sightings.
LATE_FRAMES = 2


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clip") / "yard.mp4"


@pytest.fixture(scope="module")
def truth(clip: Path) -> Truth:
    return render(clip)


@pytest.fixture(scope="module", params=FAMILIES)
def replayed(
    request: pytest.FixtureRequest, clip: Path, truth: Truth, tmp_path_factory: pytest.TempPathFactory
) -> Replayed:
    """One replay a model family, with everything it can write."""
    assert truth.size == SIZE_PX
    folder = tmp_path_factory.mktemp(request.param)
    model = build_detector(request.param, folder / "model.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)
    options: list[str | Path] = ["--model", model, "--video", folder / "out" / "video.mp4"]
    if request.param not in NOTED:
        (folder / "labels.txt").write_text("\n".join(LABELS))
        options += ["--labels", folder / "labels.txt"]
    return replay(clip, folder / "out", *options)


def test_it_leaves_what_was_asked_for(replayed: Replayed) -> None:
    """Exit status 0, and the three files and nothing else."""
    assert replayed.exit_status == 0
    assert replayed.names == {"events.jsonl", "tracks.txt", "video.mp4"}


def test_every_event_fits_the_schema(replayed: Replayed) -> None:
    """And `sequence` counts from 1."""
    for event in replayed.events:
        validator("event").validate(event)
    assert [event["sequence"] for event in replayed.events] == list(range(1, len(replayed.events) + 1))


def test_each_object_is_one_track(replayed: Replayed) -> None:
    """As many lives as there are objects, each with its label, one `new` and one `end`."""
    told = lives(replayed.events)
    kinds = [event["type"] for event in replayed.events]

    assert sorted(life["new"]["label"] for life in told.values()) == ["blue", "red"]
    assert all(life["end"]["label"] == life["new"]["label"] for life in told.values())
    assert (kinds.count("new"), kinds.count("end")) == (2, 2)


def test_times_are_those_of_the_clip(replayed: Replayed) -> None:
    """Each object is seen and lost when it comes and goes, to a frame or two, in the clip's own time."""
    told = {life["new"]["label"]: life for life in lives(replayed.events).values()}
    red_s = told["red"]["new"]["start_time"]
    for square in SQUARES:
        new, end = told[LABELS[square.class_id]]["new"], told[LABELS[square.class_id]]["end"]
        first = round(square.first_s * FPS) + 1

        assert first <= new["frame_sequence"] <= first + LATE_FRAMES
        assert new["start_time"] - red_s == pytest.approx(square.first_s - SQUARES[0].first_s, abs=1.5 * FRAME_S)
        assert end["end_time"] - end["start_time"] == pytest.approx(square.last_s - square.first_s, abs=1.5 * FRAME_S)
        assert end["frame_time"] >= end["end_time"]


def test_boxes_are_where_the_objects_are(replayed: Replayed, truth: Truth) -> None:
    """Every row covers an object of its class in its frame; of each object nearly every frame has a row, of one id."""
    ids: dict[int, set[int]] = {}
    for row in replayed.rows:
        there = {box.class_id: box for box in truth.frames[row.frame - 1]}
        assert iou(row.box, there[row.class_id]) > 0.7
        ids.setdefault(row.class_id, set()).add(row.track_id)

    boxes = sum(len(frame) for frame in truth.frames)
    assert boxes - 2 * LATE_FRAMES <= len(replayed.rows) <= boxes
    assert sorted(map(len, ids.values())) == [1, 1]


def test_event_boxes_are_fractions_too(replayed: Replayed) -> None:
    """`box_fraction` is `box` by `frame_size`."""
    for event in replayed.events:
        assert event["frame_size"] == list(SIZE_PX)
        expected = np.array(event["box"]) / [*SIZE_PX, *SIZE_PX]
        np.testing.assert_allclose(event["box_fraction"], expected, atol=0.005)


def test_the_video_is_the_clip(replayed: Replayed, truth: Truth) -> None:
    """As many frames, of its size, at its times."""
    with av.open(str(replayed.video)) as container:
        frames = list(container.decode(video=0))

    assert len(frames) == len(truth.frames)
    assert {(frame.width, frame.height) for frame in frames} == {SIZE_PX}
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(len(frames)) / FPS, atol=0.002)


def test_boxes_are_drawn(replayed: Replayed, clip: Path) -> None:
    """Each edge has much more of the track's colour than the clip has there; the rate stands in the corner."""
    drawn, plain = pictures(replayed.video), pictures(clip)
    middle = [row for row in replayed.rows if row.frame == round(2.5 * FPS)]

    assert len(middle) == 2
    for row in middle:
        color = PALETTE[row.track_id % len(PALETTE)]
        for x, y in edge_points(row.box):
            assert nearest(drawn[row.frame - 1], x, y, color) < nearest(plain[row.frame - 1], x, y, color) / 2
    corner = (slice(0, 8), slice(0, 40))
    assert drawn[0][corner].mean() < plain[0][corner].mean() - 30


def pictures(video: Path) -> list[npt.NDArray[np.int64]]:
    """Every frame as BGR."""
    with av.open(str(video)) as container:
        return [frame.to_ndarray(format="bgr24").astype(np.int64) for frame in container.decode(video=0)]


def edge_points(box: tuple[float, float, float, float]) -> list[tuple[int, int]]:
    """The middle of the left, right and lower edge; above the upper one stands the label."""
    x1, y1, x2, y2 = (round(edge) for edge in box)
    return [(x1, (y1 + y2) // 2), (x2, (y1 + y2) // 2), ((x1 + x2) // 2, y2)]


def nearest(picture: npt.NDArray[Any], x: int, y: int, color: tuple[int, ...]) -> float:
    """How far the nearest of the pixels around is from a colour."""
    around = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
    return float(np.abs(around - np.array(color)).sum(axis=1).min())
