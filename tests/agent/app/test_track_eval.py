"""`sitewatch track-eval` as it is called."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.app.track_eval.command_line import PARAMETERS
from agent.cli import main
from agent.service.exit_codes import ExitCode
from trackers import ByteTrackSettings

TUNABLE = ("_threshold", "_limit", "_iou", "_weight")
SCORES = {"hota", "deta", "assa", "mota", "idf1", "switches", "fragments", "false_positives", "misses"}


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """One person walks by for a second, and is gone for half of one in between."""
    folder = tmp_path / "recordings" / "gate"
    folder.mkdir(parents=True)
    truth = [f"{frame},1,{10 + 2 * frame},10,20,40,1,1,1" for frame in range(1, 31)]
    seen = [f"{frame},-1,{10 + 2 * frame},10,20,40,0.65,1" for frame in range(1, 31) if not 10 <= frame < 20]
    (folder / "gt.txt").write_text("\n".join(truth))
    (folder / "det.txt").write_text("\n".join(seen))
    (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=20\nseqLength=30\n")
    return folder


def run(*arguments: str | Path) -> int:
    return main(["track-eval", *map(str, arguments)])


def answer(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert run(*arguments, "--json") == ExitCode.OK
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.assets
def test_a_table_of_both_sets(assets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a sequence and set, both together at the end, and a word on what was taken out."""
    assert run(assets / "mot" / "scored", "--compare", "reference") == ExitCode.OK
    head, *rows = capsys.readouterr().out.splitlines()
    cells = [row.split() for row in rows[:10]]

    assert head.split() == [
        "sequence", "set", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches", "fragments", "us/update",
    ]  # fmt: skip
    assert [row[:2] for row in cells[-2:]] == [["combined", "default"], ["combined", "reference"]]
    assert [float(number) for number in cells[1][2:6]] == pytest.approx([65.46, 70.20, 61.07, 83.05], abs=0.011)
    assert all(float(row[-1]) > 0 for row in cells)
    assert rows[-1].startswith("MOT17-09, MOT17-11: pedestrians count, tracks on classes 2, 7, 8, 12 do not")


@pytest.mark.assets
def test_results_of_another_tracker(assets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in each sequence's folder, or one file; the published figures, and no time."""
    names = [assets / "mot" / name for name in ("TUD-Campus", "TUD-Stadtmitte")]
    found = answer(capsys, *names, "--results", "reference_tracker_output.txt")
    alone = answer(capsys, names[0], "--results", names[0] / "reference_tracker_output.txt")

    assert [round(row["mota"], 2) for row in found["sequences"]] == [52.65, 56.40]
    assert [row["update_us"] for row in found["sequences"]] == [None, None]
    assert alone["sequences"] == found["sequences"][:1]
    assert set(found["combined"][0]) == {"sequence", "contestant", "update_us", "frames", "notes", *SCORES}
    assert alone["combined"] == []


def test_what_was_written_scores_the_same(gate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tracks in MOT format go out with --out and in again with --results, one folder a set where there are two."""
    out = tmp_path / "out"
    ran = answer(capsys, gate.parent, "--out", out, "--high-threshold", "0.5", "--new-track-threshold", "0.5")
    read = answer(capsys, gate.parent, "--results", out)
    answer(capsys, gate.parent, "--out", out / "both", "--compare", "reference")

    assert {name: read["sequences"][0][name] for name in SCORES} == {name: ran["sequences"][0][name] for name in SCORES}
    assert ran["sequences"][0]["hota"] > 50.0
    paths = {path.relative_to(out).as_posix() for path in out.rglob("*.txt")}
    assert paths == {"gate.txt", "both/default/gate.txt", "both/reference/gate.txt"}


def test_parameters_change_what_comes_out(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A score of 0.65 begins no track by default; patience decides about the gap; --compare keeps the set's own."""
    low = ("--high-threshold", "0.5", "--new-track-threshold", "0.5")
    found = answer(capsys, gate, *low, "--lost-patience", "100ms", "--compare", "default")
    patient = answer(capsys, gate, *low, "--lost-patience", "1s")

    assert found["sets"] == {
        "default+": {"high_threshold": 0.5, "new_track_threshold": 0.5, "lost_patience_s": 0.1}, "default": {},
    }  # fmt: skip
    assert [row["contestant"] for row in found["sequences"]] == ["default+", "default"]
    assert [row["misses"] for row in found["sequences"]] == [11, 30]
    assert [row["switches"] for row in (found["sequences"][0], patient["sequences"][0])] == [1, 0]


def test_the_tracking_section_of_a_site(gate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands there is what runs; the cameras and models it names need not be here."""
    site = {
        "site": "harbour", "broker": {"host": "broker.invalid"}, "model": {"path": "none.onnx"},
        "cameras": {"gate": {"source": "rtsp://camera.invalid/"}},
        "tracking": {"high_threshold": 0.5, "new_track_threshold": 0.5},
    }  # fmt: skip
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site))
    found = answer(capsys, gate, "--site", tmp_path / "site.yaml")

    assert found["sets"] == {"site.yaml": {}}
    assert found["sequences"][0]["switches"] == 0
    assert found["sequences"][0]["hota"] > 50.0


def test_frames_left_out(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each third frame, of the truth as well."""
    found = answer(capsys, gate, "--every", "3", "--reference", "--frame-rate", "30")

    assert found["every"] == 3
    assert found["sequences"][0]["frames"] == 10
    assert found["sequences"][0]["misses"] == 10


def test_odd_input_is_noted(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scores beyond 1 and boxes without area are taken, and told."""
    (gate / "det.txt").write_text("1,-1,10,10,20,40,97.5\n2,-1,10,10,0,40,0.9\n")
    assert run(gate) == ExitCode.OK

    said = capsys.readouterr().out
    assert "gate: scores from 0.9 to 97.5; thresholds are made for 0 to 1" in said
    assert "gate: 1 detections without an area were refused" in said


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["nowhere"], 65, "nowhere: there is no such folder"),
        (["gate", "--high-threshold", "1.5"], 78, "high_threshold: expected 0 to 1, got 1.5"),
        (["gate", "--high-threshold", "nan"], 78, "high_threshold: expected 0 to 1, got nan"),
        (["gate", "--low-threshold", "0.7"], 78, "low_threshold: expected at most high_threshold (0.6), got 0.7"),
        (["gate", "--lost-patience", "2"], 78, "--lost-patience: found '2'; allowed is a number with a unit"),
        (["gate", "--site", "none.yaml"], 78, "none.yaml"),
        (["gate", "--results", "none"], 65, "no results of gate: there is no "),
        (["gate", "gate2", "--results", "gate/gt.txt"], 65, "is one file, and there are 2 sequences"),
        (["gate", "--out", "gate/gt.txt/out"], 73, "cannot be made: Not a directory"),
        (["--speed", "--peer-python", "none"], 69, "none cannot be run as a Python"),
    ],
)
def test_refusals(
    arguments: list[str], status: int, told: str, gate: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """One sentence and the exit status of its kind."""
    (gate.parent / "gate2").mkdir()
    for path in gate.iterdir():
        (gate.parent / "gate2" / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(gate.parent)

    assert run(*arguments) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("sitewatch: ")
    assert told in said.err


def test_inputs_are_not_written_over(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sequence that is called as its own ground truth is left alone."""
    (gate / "gt").mkdir()
    for name in ("gt.txt", "det.txt", "seqinfo.ini"):
        (gate / name).rename(gate / "gt" / name)
    before = (gate / "gt" / "gt.txt").read_bytes()

    assert run(gate / "gt", "--out", gate / "gt") == ExitCode.CANTCREAT
    assert "looks like an input" in capsys.readouterr().err
    assert (gate / "gt" / "gt.txt").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "track-eval needs FOLDER or --speed"),
        (["f", "--peer-python", "p"], "--peer-python goes with --speed"),
        (["--speed", "--out", "o"], "--out needs FOLDER"),
        (["f", "--results", "r", "--low-threshold", "0.1"], "parameters change nothing there"),
        (["f", "--results", "r", "--speed"], "--speed has no tracker to run"),
        (["f", "--reference", "--site", "s"], "not allowed with argument --reference"),
        (["f", "--every", "0"], "found '0'; allowed is a whole number from 1"),
        (["f", "--frame-rate", "inf"], "found 'inf'; allowed is a number above 0"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not fit together is told with 64, before anything runs."""
    with pytest.raises(SystemExit) as ended:
        run(*arguments)

    assert ended.value.code == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_every_threshold_can_be_tuned() -> None:
    """A new one of the tracker needs its option."""
    names = {field.name for field in dataclasses.fields(ByteTrackSettings)}

    assert {name for name in names if name.endswith(TUNABLE)} == set(PARAMETERS)


def test_asking_for_help_loads_no_scorer() -> None:
    """Neither the scorer nor the tracker is imported for the command line's sake."""
    code = "import sys, agent.cli; print([m for m in ('numpy', 'trackeval', 'scipy', 'trackers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout == "[]\n"
