"""Every contestant on every sequence, scored."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence as Many
from dataclasses import dataclass

from agent.app.track_eval.contestants import Contestant, followed_by
from agent.app.track_eval.mot_folder import MotFolder
from agent.errors import SequenceError
from agent.evaluation.comparing import compare
from agent.evaluation.following import Followed, Timer
from agent.evaluation.mot_files import SCORE
from agent.evaluation.scoring import Evaluator, Measured, Scores, load_evaluator
from agent.evaluation.sequence import Preprocessing, Sequence, read_sequence
from agent.evaluation.sequence_search import find_sequences


@dataclass(frozen=True)
class Outcome:
    """One row of the table.

    Attributes:
        sequence: its name; None: all of them together.
        contestant: whose scores.
        scores: what it reached.
        update_us: median processor microseconds of an update; None where no tracker ran.
        frames: how many were looked at.
        notes: what a person should know of this sequence.
    """

    sequence: str | None
    contestant: str
    scores: Scores
    update_us: float | None
    frames: int
    notes: tuple[str, ...] = ()


def evaluate(options: argparse.Namespace, chosen: Many[Contestant], timer: Timer) -> list[Outcome]:
    """Read, follow and score each sequence; several are scored together as well.

    Raises:
        EvaluatorError: the scorer is not installed.
        SequenceError: a sequence or result cannot be used.
        OutputError: the tracks cannot be written.
    """
    evaluator = load_evaluator()
    found = find_sequences(options.folders)
    if len(found) > 1 and options.results and options.results.is_file():
        raise SequenceError(f"{options.results} is one file, and there are {len(found)} sequences; name a folder")
    rounds = _Rounds(evaluator, MotFolder(options.out, has_sets=len(chosen) > 1) if options.out else None)
    for name, folder in found.items():
        sequence = read_sequence(
            folder,
            name,
            frame_rate=options.frame_rate,
            preprocessing=Preprocessing(options.preprocessing),
            with_detections=any(each.settings_at for each in chosen),
        )
        for each in chosen:
            rounds.add(each, sequence, followed_by(each, sequence, folder, options, timer))
    return [*rounds.outcomes, *(rounds.together(each) for each in chosen if len(found) > 1)]


class _Rounds:
    """What has been scored so far."""

    def __init__(self, evaluator: Evaluator, folder: MotFolder | None) -> None:
        self.outcomes: list[Outcome] = []
        self._evaluator = evaluator
        self._folder = folder
        self._measured: dict[str, list[Measured]] = {}
        self._followed: dict[str, list[Followed]] = {}

    def add(self, contestant: Contestant, sequence: Sequence, followed: Followed) -> None:
        """Score one sequence, and write its tracks where that is asked for."""
        measured = self._evaluator.measure(compare(sequence, followed))
        self._measured.setdefault(contestant.name, []).append(measured)
        self._followed.setdefault(contestant.name, []).append(followed)
        self.outcomes.append(_outcome(sequence.name, contestant, measured, [followed], _notes(sequence, followed)))
        if self._folder is not None and contestant.settings_at is not None:
            self._folder.write(contestant.name, sequence.name, followed)

    def together(self, contestant: Contestant) -> Outcome:
        """All sequences of one contestant as one."""
        measured = self._evaluator.combine(self._measured[contestant.name])
        return _outcome(None, contestant, measured, self._followed[contestant.name], ())


def _outcome(
    name: str | None, contestant: Contestant, measured: Measured, followed: Many[Followed], notes: tuple[str, ...]
) -> Outcome:
    spent_s = [seconds for each in followed for seconds in each.spent_s]
    update_us = 1e6 * statistics.median(spent_s) if spent_s else None
    return Outcome(
        name, contestant.name, measured.scores(), update_us, sum(len(each.frames) for each in followed), notes
    )


def _notes(sequence: Sequence, followed: Followed) -> tuple[str, ...]:
    notes = []
    if sequence.distractors:
        classes = ", ".join(map(str, sequence.distractors))
        notes.append(f"pedestrians count, tracks on classes {classes} do not (--preprocessing)")
    scores = sequence.detections[:, SCORE]
    if ((scores < 0.0) | (scores > 1.0)).any():
        notes.append(f"scores from {scores.min():g} to {scores.max():g}; thresholds are made for 0 to 1")
    if followed.refused:
        notes.append(f"{followed.refused} detections without an area were refused")
    return tuple(notes)
