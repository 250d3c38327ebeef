"""Folders and files as people have them, and every way in which one can be wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from agent.errors import SequenceError
from agent.evaluation.following import follow, mot_text, read_followed
from agent.evaluation.mot_files import CLASS, CONSIDERED, by_frame
from agent.evaluation.sequence import DISTRACTORS, DISTRACTORS_OF_MOT20, Preprocessing, read_sequence
from agent.evaluation.sequence_search import find_sequences
from trackers import ByteTrackSettings

INI = "[Sequence]\nname=gate\nframeRate=10\nseqLength=3\nimDir=img1\n"
TRUTH = "1,1,10,10,20,40,1,1,1\n2,1,12,10,20,40,1,1,1\n"
DETECTIONS = "1,-1,10,10,20,40,0.9,1\n2,-1,12,10,20,40,0.8,1\n"
RESULTS = "1,1,10,10,20,40,-1,-1,-1,-1\n"


def write(folder: Path, **files: str) -> Path:
    """A sequence of two frames in three, in the flat layout; a file that is given as empty text is left out."""
    given = {"gt.txt": TRUTH, "det.txt": DETECTIONS, "seqinfo.ini": INI}
    given |= {
        name.replace("_txt", ".txt").replace("_ini", ".ini").replace("_json", ".json"): text
        for name, text in files.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in given.items():
        if text:
            (folder / name).write_text(text)
    return folder


def test_the_layout_of_the_challenge(tmp_path: Path) -> None:
    """gt/gt.txt, det/det.txt and seqinfo.ini make a sequence."""
    folder = write(tmp_path / "gate")
    for kind in ("gt", "det"):
        (folder / kind).mkdir()
        (folder / f"{kind}.txt").rename(folder / kind / f"{kind}.txt")
    sequence = read_sequence(folder, "gate")

    assert (sequence.frame_rate, sequence.length, sequence.distractors) == (10.0, 3, ())
    assert (len(sequence.truth), len(sequence.detections)) == (2, 2)


@pytest.mark.parametrize(
    "text",
    [
        "1,1,10,10,20,40\n2,1,12,10,20,40\n",
        "1 1 10 10 20 40 1 1 1\n2 1 12 10 20 40 1 1 1\n",
        "\ufeff1, 1, 10, 10, 20, 40, 1, 1, 1\r\n\r\n2, 1, 12, 10, 20, 40, 1, 1, 1\r\n",
        "2,1,12,10,20,40,1,-1,-1,-1\n1,1,10,10,20,40,1,-1,-1,-1",
    ],
    ids=["few columns", "blanks", "windows", "ten columns, unordered"],
)
def test_truth_in_many_hands(text: str, tmp_path: Path) -> None:
    """Fewer or more columns, blanks, line ends and the order of rows make no difference."""
    sequence = read_sequence(write(tmp_path / "gate", gt_txt=text), "gate")
    ordered = [rows for _, rows in by_frame(sequence.truth, range(1, 4))]

    assert [len(rows) for rows in ordered] == [1, 1, 0]
    assert ordered[1][0, :CLASS].tolist() == [2, 1, 12, 10, 20, 40, 1]


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("1,-1,10,10,20,40,0.9\n2,-1,12,10,20,40,0.8\n", [0, 0]),
        ("1,-1,10,10,20,40,0.9,-1,-1,-1\n2,-1,12,10,20,40,0.8,-1,-1,-1\n", [0, 0]),
        ("1,-1,10,10,20,40,0.9,4.31,1.2,0\n2,-1,12,10,20,40,0.8,4,1.1,0\n", [0, 0]),
        ("1,-1,10,10,20,40,0.9,2\n2,-1,12,10,20,40,0.8,7\n", [2, 7]),
    ],
    ids=["no column", "minus one", "metres", "classes"],
)
def test_detections_with_and_without_class(text: str, classes: list[int], tmp_path: Path) -> None:
    """The class column counts where it holds classes."""
    sequence = read_sequence(write(tmp_path / "gate", det_txt=text), "gate")

    assert sequence.detections[:, CLASS].tolist() == classes


def test_what_the_sequence_does_not_say(tmp_path: Path) -> None:
    """Without seqinfo.ini the rate is given and the length is the last frame; a rate that is given wins."""
    bare = read_sequence(write(tmp_path / "bare", seqinfo_ini=""), "bare", frame_rate=5.0)
    faster = read_sequence(write(tmp_path / "gate"), "gate", frame_rate=20.0)
    by_json = read_sequence(write(tmp_path / "json", seqinfo_ini="", seq_json='{"fps": 12.5, "length": 4}'), "json")

    assert (bare.frame_rate, bare.length) == (5.0, 2)
    assert faster.frame_rate == 20.0
    assert (by_json.frame_rate, by_json.length) == (12.5, 4)


class Look(NamedTuple):
    """Ground truth, what else is known, and the distractors that follow."""

    classes: str
    name: str
    asked: Preprocessing
    distractors: tuple[int, ...]


@pytest.mark.parametrize(
    "look",
    [
        Look("1:1 8:0", "gate", Preprocessing.AUTO, DISTRACTORS),
        Look("1:1 6:0 9:0", "MOT20-01", Preprocessing.AUTO, DISTRACTORS_OF_MOT20),
        Look("1:1 8:1", "gate", Preprocessing.AUTO, ()),
        Look("1:1 3:0", "gate", Preprocessing.AUTO, ()),
        Look("1:1 8:0 40:0", "gate", Preprocessing.AUTO, ()),
        Look("1:1 8:0", "gate", Preprocessing.NONE, ()),
        Look("1:1 8:1", "gate", Preprocessing.MOT17, DISTRACTORS),
    ],
)
def test_when_the_rule_of_mot17_holds(look: Look, tmp_path: Path) -> None:
    """By the look of the classes, unless it is asked for or refused."""
    rows = (each.split(":") for each in look.classes.split())
    truth = "".join(f"1,{number},10,10,20,40,{kept},{name},1\n" for number, (name, kept) in enumerate(rows))
    ini = INI.replace("name=gate", f"name={look.name}")
    sequence = read_sequence(write(tmp_path / "gate", gt_txt=truth, seqinfo_ini=ini), "gate", preprocessing=look.asked)

    assert sequence.distractors == look.distractors


def test_sequences_are_found_two_levels_down(tmp_path: Path) -> None:
    """Names are paths below the folder that was given; hidden folders are passed over, none is taken twice."""
    for name in ("gate", "monday/gate", "monday/yard", ".hidden/gate"):
        write(tmp_path / name)
    found = find_sequences([tmp_path, tmp_path / "gate"])

    assert list(found) == ["gate", "monday/gate", "monday/yard"]
    assert list(find_sequences([tmp_path / "gate"])) == ["gate"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nowhere", "there is no such folder"),
        ("gate/gt.txt", "is a file"),
        ("empty", "no sequence in it or 2 levels below; allowed is a folder with gt/gt.txt or gt.txt"),
    ],
)
def test_folders_without_a_sequence(given: str, told: str, tmp_path: Path) -> None:
    """Each is told apart."""
    write(tmp_path / "gate")
    (tmp_path / "empty").mkdir()

    with pytest.raises(SequenceError, match=told):
        find_sequences([tmp_path / given])


def test_two_sequences_of_one_name(tmp_path: Path) -> None:
    """Their rows and files could not be told apart, so they are refused."""
    folders = [write(tmp_path / day / "gate") for day in ("monday", "tuesday")]

    with pytest.raises(SequenceError, match="are both called gate"):
        find_sequences(folders)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    """Tracks as text are the same tracks, to the hundredth of a pixel."""
    sequence = read_sequence(write(tmp_path / "gate"), "gate")
    followed = follow(sequence, ByteTrackSettings(), every=1, timer=time.thread_time)
    path = tmp_path / "tracks.txt"
    path.write_text("".join(mot_text(frame, tracks) for frame, tracks in followed.frames))
    again = read_followed(path, sequence, every=1)

    assert path.read_text().startswith("1,1,10.00,10.00,20.00,40.00,0.9000,1,-1,-1\n")
    for (_, before), (_, after) in zip(followed.frames, again.frames, strict=True):
        np.testing.assert_array_equal(before.track_ids, after.track_ids)
        np.testing.assert_allclose(before.boxes, after.boxes, atol=0.011)


def test_truth_that_is_not_considered_does_not_count(tmp_path: Path) -> None:
    """A row with 0 in the seventh column stays in the truth, marked so; at least one must count."""
    one = TRUTH + "3,1,12,10,20,40,0,1,1\n"
    sequence = read_sequence(write(tmp_path / "gate", gt_txt=one), "gate")

    assert sequence.truth[:, CONSIDERED].tolist() == [1, 1, 0]
    with pytest.raises(SequenceError, match="no row of the ground truth counts"):
        read_sequence(write(tmp_path / "none", gt_txt="1,1,10,10,20,40,0,1,1\n"), "none")
