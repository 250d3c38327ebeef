"""What `sitewatch replay` can be told, and that it does the same twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from clips.rendered import Truth, render_clip
from models.square_detectors import build_detector
from replays.replaying import INPUT_PX, SIZE_PX, Replayed, iou, lives, render, replay

from agent.cli import main

# Differ from run to run: ids, and wall time.
OF_THE_RUN = ("event_id", "run_id", "id", "occurred_at")
TIMES = ("frame_time", "start_time", "end_time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yard")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return render(folder / "yard.mp4")


@pytest.fixture(scope="module")
def clip(folder: Path, truth: Truth) -> Path:
    assert truth.frames
    return folder / "yard.mp4"


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return build_detector("yolov8", folder / "yolov8.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)


@pytest.fixture(scope="module")
def site(folder: Path, model: Path) -> Path:
    """A site file with an engine of its own, a broker that is never asked, and a camera that is never opened."""
    content = {
        "site": "harbour",
        "broker": {"host": "broker.invalid"},
        "model": {"path": str(model), "engine": "onnxruntime"},
        "cameras": {"gate": {"source": "rtsp://camera.invalid/"}},
        "tracking": {"lost_patience": "500ms"},
    }
    (folder / "site.yaml").write_text(yaml.safe_dump(content))
    return folder / "site.yaml"


@pytest.fixture(scope="module")
def by_site(clip: Path, site: Path, folder: Path) -> Replayed:
    return replay(clip, folder / "by_site", "--site", site)


def same_in_every_run(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events without what belongs to the run; times from the first one on, in milliseconds."""
    began = events[0]["start_time"]
    return [
        {key: value for key, value in event.items() if key not in (*OF_THE_RUN, *TIMES)}
        | {key: round((event[key] - began) * 1000) for key in TIMES if event[key] is not None}
        for event in events
    ]


def test_two_runs_are_alike(by_site: Replayed, clip: Path, site: Path, tmp_path: Path) -> None:
    """Tracks are the same to the byte, events apart from ids and wall time; the second run replaces its files."""
    again = replay(clip, tmp_path, "--site", site)
    assert replay(clip, tmp_path, "--site", site).exit_status == 0

    assert (again.folder / "tracks.txt").read_bytes() == (by_site.folder / "tracks.txt").read_bytes()
    assert same_in_every_run(again.events) == same_in_every_run(by_site.events)
    assert {event["run_id"] for event in again.events} != {event["run_id"] for event in by_site.events}


def test_a_site_file_rules(by_site: Replayed) -> None:
    """Site name, model and patience are the site file's; the camera is the clip."""
    assert {(event["site"], event["camera"]) for event in by_site.events} == {("harbour", "yard")}
    for event in by_site.events:
        if event["type"] == "end":
            assert event["frame_time"] - event["end_time"] == pytest.approx(0.5, abs=0.15)


def test_options_go_before_the_site_file(clip: Path, site: Path, tmp_path: Path) -> None:
    """A model, labels or threshold on the command line is taken instead of the site's."""
    replayed = replay(clip, tmp_path, "--site", site, "--model", "motion")

    assert {event["label"] for event in replayed.events} == {"motion"}
    assert {event["site"] for event in replayed.events} == {"harbour"}


def test_labels(clip: Path, site: Path, tmp_path: Path) -> None:
    """The names are those of the file."""
    (tmp_path / "labels.txt").write_text("rot\nblau\n")
    replayed = replay(clip, tmp_path / "out", "--site", site, "--labels", tmp_path / "labels.txt")

    assert {event["label"] for event in replayed.events} == {"rot", "blau"}


def test_score_threshold(clip: Path, site: Path, tmp_path: Path) -> None:
    """Above every score there is nothing to tell, and the files say so by being empty."""
    replayed = replay(clip, tmp_path, "--site", site, "--score-threshold", "1")

    assert (replayed.exit_status, replayed.events, replayed.rows) == (0, [], [])


def test_what_is_there_at_the_end_ends_with_the_clip(site: Path, tmp_path: Path) -> None:
    """In the clip's own time, however fast it is played: the last frame ends all that is still there."""
    render_clip(tmp_path / "short.mp4", seconds=2, size=SIZE_PX)
    told = lives(replay(tmp_path / "short.mp4", tmp_path / "out", "--site", site).events)

    assert len(told) == 2
    for life in told.values():
        assert 0 <= life["end"]["frame_time"] - life["end"]["end_time"] <= 0.5
        assert life["new"]["frame_time"] < life["end"]["frame_time"] < life["new"]["start_time"] + 2.05


def test_motion(clip: Path, truth: Truth, tmp_path: Path) -> None:
    """Without a model: what moves, called `motion`; two lives, nearly all of it where the squares are."""
    replayed = replay(clip, tmp_path, "--model", "motion")
    kinds = [event["type"] for event in replayed.events]
    on_target = [row for row in replayed.rows if any(iou(row.box, box) > 0.3 for box in truth.frames[row.frame - 1])]

    assert {event["label"] for event in replayed.events} == {"motion"}
    assert kinds.count("new") == kinds.count("end") >= 2
    assert len(on_target) > 0.8 * len(replayed.rows) > 0


def test_events_on_standard_output(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Asked for with `-`: events and nothing else; the summary goes to standard error."""
    assert main(["replay", str(clip), "--model", "motion", "--events", "-"]) == 0

    said = capfd.readouterr()
    assert all(line.startswith('{"schema_version":') for line in said.out.splitlines())
    assert len(said.out.splitlines()) >= 4
    assert f"{clip.name}: 60 frames" in said.err
