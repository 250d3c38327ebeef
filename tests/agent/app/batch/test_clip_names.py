"""Every clip has a name of its own, and the same one in every run."""

from __future__ import annotations

from pathlib import Path

import pytest
from batches.batching import batch, draw_clips, events_in, results_of

from agent.app.batch.clips import find_clips
from agent.errors import ToolInputError


def names_of(*given: str | Path) -> list[str]:
    """In the order of the clips."""
    return [clip.name for clip in find_clips([str(each) for each in given])]


def test_two_clips_of_one_name(tmp_path: Path) -> None:
    """Both are done, each with results and a camera of its own, whichever is named first."""
    (first,) = draw_clips(tmp_path / "east", gate=1.0)
    (second,) = draw_clips(tmp_path / "west", gate=2.0)
    batched = batch([second, first], tmp_path / "out")
    again = batch([first, second], tmp_path / "out")

    assert batched.names == again.names == results_of("gate", "gate-2")
    assert again.states == {"gate": "done before", "gate-2": "done before"}
    assert batched.record("gate")["clip"] == str(first)
    assert batched.record("gate-2")["frames"] == 20
    assert {event["camera"] for event in events_in(tmp_path / "out" / "gate-2.events.jsonl")} == {"gate-2"}


def test_names_do_not_depend_on_the_order() -> None:
    """Nor are they another clip's own."""
    given = ["/b/gate.mp4", "/a/gate.mp4", "/a/gate-2.mp4", "/a/gate.avi"]

    assert names_of(*given) == ["gate-4", "gate-3", "gate-2", "gate"]
    assert names_of(*reversed(given)) == ["gate", "gate-2", "gate-3", "gate-4"]


def test_capital_letters_make_no_name() -> None:
    """There are file systems to which both are the same."""
    assert names_of("/a/Gate.mp4", "/b/gate.mp4") == ["Gate", "gate-2"]


def test_names_may_be_anything() -> None:
    """A result is called as its clip, and its camera by what is left of that; long names are cut."""
    clips = find_clips(["/a/Hof Süd (1).mp4", "/a/Hof-S d-1.mp4", f"/a/{'ä' * 120}.mp4"])

    assert [clip.name for clip in clips] == ["Hof Süd (1)", "Hof-S d-1", "ä" * 100]
    assert [clip.camera_id for clip in clips] == ["hof-s-d-1", "hof-s-d-1-2", "clip"]


def test_a_folder_is_the_videos_in_it(tmp_path: Path) -> None:
    """By their endings, in order; not what is hidden, and not what lies deeper."""
    for name in ("b.MP4", "a.mkv", "notes.txt", ".a.part.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "deeper.mp4").mkdir()

    assert names_of(tmp_path) == ["a", "b"]
    assert names_of(tmp_path, tmp_path / "b.MP4", tmp_path / "deeper.mp4" / ".." / "a.mkv") == ["a", "b"]


def test_no_clips(tmp_path: Path) -> None:
    """It is told what was looked at."""
    with pytest.raises(ToolInputError, match=tmp_path.name):
        find_clips([str(tmp_path)])
