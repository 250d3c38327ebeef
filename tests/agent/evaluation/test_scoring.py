"""Scores against published ones, and what must hold of any scorer."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest
import trackeval

from agent.errors import EvaluatorError
from agent.evaluation.comparing import compare
from agent.evaluation.following import follow, mot_text, read_followed
from agent.evaluation.scoring import Measured, Scores, load_evaluator
from agent.evaluation.sequence import Preprocessing, read_sequence
from agent.evaluation.sequence_search import find_sequences
from trackers import ByteTrackSettings


def measure(folder: Path, results: Path, every: int = 1, preprocessing: Preprocessing = Preprocessing.AUTO) -> Measured:
    sequence = read_sequence(folder, folder.name, with_detections=False, preprocessing=preprocessing)
    return load_evaluator().measure(compare(sequence, read_followed(results, sequence, every=every)))


@pytest.mark.assets
@pytest.mark.parametrize(
    ("name", "mota", "idf1", "counts"),
    [("TUD-Campus", 52.65, 55.77, (7, 13, 150)), ("TUD-Stadtmitte", 56.40, 64.46, (7, 45, 452))],
)
def test_the_figures_of_the_challenges_own_kit(
    name: str, mota: float, idf1: float, counts: tuple[int, ...], assets: Path
) -> None:
    """MOTA, IDF1, switches, false positives and misses of a tracker's output are the published ones."""
    folder = assets / "mot" / name
    scores = measure(folder, folder / "reference_tracker_output.txt").scores()

    assert (scores.mota, scores.idf1) == (pytest.approx(mota, abs=0.005), pytest.approx(idf1, abs=0.005))
    assert (scores.switches, scores.false_positives, scores.misses) == counts


@pytest.mark.assets
@pytest.mark.parametrize(
    ("name", "hota", "mota", "idf1", "switches"),
    [
        ("MOT17-09", 65.46, 83.05, 77.87, 14),
        ("MOT17-11", 62.38, 70.47, 71.07, 11),
        ("dancetrack0058", 67.06, 89.81, 81.64, 17),
        ("sim-yard", 63.09, 75.84, 72.30, 25),
    ],
)
def test_the_figures_of_the_published_tracker(
    name: str, hota: float, mota: float, idf1: float, switches: int, assets: Path
) -> None:
    """With and without distractors, its output has the scores it is known to have."""
    folder = assets / "mot" / "scored" / name
    scores = measure(folder, folder / "official.txt").scores()

    assert [scores.hota, scores.mota, scores.idf1] == pytest.approx([hota, mota, idf1], abs=0.006)
    assert scores.switches == switches


@pytest.mark.assets
@pytest.mark.parametrize("every", [1, 7])
def test_the_truth_scores_full_marks(every: int, assets: Path) -> None:
    """Ground truth as the result of itself has 100 everywhere and no mistake, whichever frames are looked at."""
    for folder in find_sequences([assets / "mot"]).values():
        truth = next(path for path in (folder / "gt" / "gt.txt", folder / "gt.txt") if path.is_file())
        scores = measure(folder, truth, every, Preprocessing.NONE).scores()
        # An object that leaves the truth and comes back counts as a fragment.
        wrong = (scores.switches, scores.false_positives, scores.misses)
        full = [scores.hota, scores.deta, scores.assa, scores.mota, scores.idf1]

        assert wrong == (0, ignored_rows(folder, truth, every), 0)
        assert wrong[1] or full == pytest.approx([100.0] * 5)


def test_distractors_are_neither_right_nor_wrong(tmp_path: Path) -> None:
    """A track on what is no pedestrian costs nothing where the rule of MOT17 holds; one on nothing always does."""
    truth = "1,1,10,10,20,40,1,1,1\n1,2,50,10,20,40,0,8,1\n"
    (tmp_path / "gt.txt").write_text(truth)
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nseqLength=1\n")
    (tmp_path / "results.txt").write_text("1,1,10,10,20,40\n1,2,51,10,20,40\n1,3,90,10,20,40\n")
    by_rule = measure(tmp_path, tmp_path / "results.txt").scores()
    without = measure(tmp_path, tmp_path / "results.txt", preprocessing=Preprocessing.NONE).scores()

    assert (by_rule.false_positives, by_rule.misses) == (1, 0)
    assert (without.false_positives, without.misses) == (2, 0)


@pytest.mark.assets
def test_the_evaluators_own_reading_agrees(assets: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """TrackEval, given the same files as the challenge lays them out, comes to the same; distractors abound there."""
    folder = assets / "mot" / "MOT17-02"
    sequence = read_sequence(folder, "MOT17-02")
    keen = ByteTrackSettings(high_threshold=0.2, low_threshold=0.05, new_track_threshold=0.3)
    followed = follow(sequence, keen, every=1, timer=time.thread_time)
    # TrackEval wants every track to be a pedestrian.
    lines = "".join(mot_text(frame, tracks) for frame, tracks in followed.frames).splitlines()
    told = "".join(",".join([*line.split(",")[:7], "-1,-1,-1\n"]) for line in lines)
    theirs = scored_by_trackeval(folder, told, tmp_path)
    (tmp_path / "told.txt").write_text(told)
    ours = measure(folder, tmp_path / "told.txt")

    assert capfd.readouterr().err == ""
    assert ours.scores() == theirs.scores()
    assert measure(folder, tmp_path / "told.txt", preprocessing=Preprocessing.NONE).scores() != theirs.scores()


@pytest.mark.assets
def test_several_sequences_weigh_by_what_is_in_them(assets: Path) -> None:
    """Together they have the sum of the counts, and MOTA by all objects, not the mean of both."""
    folders = [assets / "mot" / name for name in ("TUD-Campus", "TUD-Stadtmitte")]
    parts = [measure(folder, folder / "reference_tracker_output.txt") for folder in folders]
    together = load_evaluator().combine(parts).scores()
    wrong = 7 + 13 + 150 + 7 + 45 + 452

    assert (together.switches, together.false_positives, together.misses) == (14, 58, 602)
    assert together.mota == pytest.approx(100 * (1 - wrong / (359 + 1156)))


@pytest.mark.assets
def test_a_tracker_that_says_nothing_scores_nothing(assets: Path, tmp_path: Path) -> None:
    """An empty result is a result: every object is missed."""
    (tmp_path / "nothing.txt").write_text("")
    scores = measure(assets / "mot" / "TUD-Campus", tmp_path / "nothing.txt").scores()

    assert scores == Scores(0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 359)


@pytest.mark.assets
def test_frames_left_out_keep_their_times(assets: Path) -> None:
    """With each third frame the tracker is fed a third of them, and as good as with all."""
    sequence = read_sequence(assets / "mot" / "scored" / "MOT17-09", "MOT17-09")
    followed = follow(sequence, ByteTrackSettings(), every=3, timer=time.thread_time)
    scores = load_evaluator().measure(compare(sequence, followed)).scores()

    assert [frame for frame, _ in followed.frames] == list(range(1, 263, 3))
    assert len(followed.spent_s) == len(followed.frames)
    assert min(followed.spent_s) > 0.0
    assert scores.hota > 60.0


def test_a_missing_scorer_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, a sentence names it."""
    monkeypatch.setitem(sys.modules, "trackeval", None)

    with pytest.raises(EvaluatorError, match=r"pip install 'sitewatch\[evaluation\]'"):
        load_evaluator()


def ignored_rows(folder: Path, truth: Path, every: int) -> int:
    """Rows that the truth itself takes out; as a result they are false."""
    rows = [line.split(",") for line in truth.read_text().splitlines()]
    assert rows, folder
    return sum(float(row[6]) == 0 and (int(row[0]) - 1) % every == 0 for row in rows)


def scored_by_trackeval(folder: Path, told: str, place: Path) -> Measured:
    """The same metrics, on what TrackEval itself reads."""
    name, options = "MOT17-02", {"PRINT_CONFIG": False}
    truth, results = place / "truth" / "MOT17-train" / name, place / "told" / "MOT17-train" / "ours" / "data"
    (truth / "gt").mkdir(parents=True)
    results.mkdir(parents=True)
    shutil.copy(folder / "gt.txt", truth / "gt")
    shutil.copy(folder / "seqinfo.ini", truth)
    (results / f"{name}.txt").write_text(told)
    data = trackeval.datasets.MotChallenge2DBox({
        **options, "GT_FOLDER": str(place / "truth"), "TRACKERS_FOLDER": str(place / "told"), "SEQ_INFO": {name: None},
    })  # fmt: skip
    table = data.get_preprocessed_seq_data(data.get_raw_seq_data("ours", name), "pedestrian")
    metrics = trackeval.metrics
    kinds = (metrics.HOTA(), metrics.CLEAR(options), metrics.Identity(options))
    return Measured(*(kind.eval_sequence(table) for kind in kinds))
