"""Keeps the outcome of a selection, so that the next start loads the engine chosen without trying all of them again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from devices.candidates import Candidate
from devices.engines.engine import BuildWatch, EngineRequest, Tensors
from devices.engines.whole_file import write_whole
from devices.inventory import Accelerator, AcceleratorKind, Availability, Inventory
from devices.measurement import Measurement
from devices.selection import Verdict
from devices.trials.exam import Difference
from devices.trials.letters import read_tensors, write_tensors

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class KeptChoice:
    """What was found out when the candidates were tried.

    Attributes:
        verdicts: one a candidate.
        answers: of the engine chosen, to the exam's questions.
        made_at: UTC.
    """

    verdicts: tuple[Verdict, ...]
    answers: tuple[Tensors, ...]
    made_at: datetime

    @property
    def chosen(self) -> Verdict:
        """The verdict on the engine that was chosen."""
        return next(verdict for verdict in self.verdicts if verdict.is_chosen)


class ChoiceShelf:
    """A folder of kept choices, one a key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> KeptChoice | None:
        """What is kept under this key, or None where that is nothing, damaged, or of another release."""
        try:
            written = json.loads(self._record(key).read_bytes())
            if written["format"] != _FORMAT:
                return None
            kept = KeptChoice(
                verdicts=tuple(_verdict(each) for each in written["verdicts"]),
                answers=read_tensors(self._answers(key)),
                made_at=datetime.fromisoformat(written["made_at"]),
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        return kept if any(each.is_chosen for each in kept.verdicts) else None

    def keep(self, key: str, choice: KeptChoice) -> None:
        """Keep it, in place of every other: a machine runs one selection at a time, and old ones are of no use.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "answers.npz"
            write_tensors(archive, choice.answers)
            write_whole(self._answers(key), archive.read_bytes())
        written = {
            "format": _FORMAT,
            "made_at": choice.made_at.isoformat(),
            "verdicts": [asdict(verdict) for verdict in choice.verdicts],
        }
        write_whole(self._record(key), json.dumps(written, indent=1).encode())

    def forget(self, key: str) -> None:
        """It turned out to be wrong."""
        self._record(key).unlink(missing_ok=True)
        self._answers(key).unlink(missing_ok=True)

    def _record(self, key: str) -> Path:
        return self._folder / f"choice-{key}.json"

    def _answers(self, key: str) -> Path:
        return self._folder / f"choice-{key}.npz"


def choice_key(
    inventory: Inventory,
    request: EngineRequest,
    questions: Sequence[Tensors],
    *,
    model_sha256: str,
    wanted: str,
    distributions: Mapping[str, Sequence[str]],
) -> str:
    """What the outcome of a selection depends on, as a short text: equal keys, equal outcome.

    Args:
        inventory: the machine; its run-times are not looked at, so that they need not be asked.
        request: of any accelerator; accelerator, cache and build are not looked at.
        questions: of the exam.
        model_sha256: of the model's file.
        wanted: the site's word or name.
        distributions: Python distributions that bring each run-time.
    """
    machine = asdict(replace(inventory, runtimes=(), notes=()))
    asked = asdict(replace(request, cache_dir=None, build=BuildWatch()))
    facts = {
        "machine": machine,
        "request": {name: value for name, value in asked.items() if name not in {"accelerator", "build", "model"}},
        "questions": [hashlib.sha256(each[name].tobytes()).hexdigest() for each in questions for name in sorted(each)],
        "model": model_sha256,
        "wanted": wanted,
        "versions": {name: [_version(each) for each in names] for name, names in distributions.items()},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _verdict(written: Mapping[str, Any]) -> Verdict:
    measurement, difference = written["measurement"], written["difference"]
    return Verdict(
        **{
            **written,
            "candidate": _candidate(written["candidate"]),
            "measurement": None if measurement is None else Measurement(**measurement),
            "difference": None if difference is None else Difference(**difference),
        }
    )


def _candidate(written: Mapping[str, Any]) -> Candidate:
    device = written["accelerator"]
    return Candidate(
        runtime=written["runtime"],
        kind=AcceleratorKind(written["kind"]),
        accelerator=None if device is None else accelerator_from(device),
        availability=Availability(**written["availability"]),
        is_wanted=written["is_wanted"],
    )


def accelerator_from(written: Mapping[str, Any]) -> Accelerator:
    """The record of `asdict`."""
    return Accelerator(
        **{**written, "kind": AcceleratorKind(written["kind"]), "capability": tuple(written["capability"])}
    )
