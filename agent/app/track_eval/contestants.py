"""Who is scored: the tracker with one set of parameters or several, or what another tracker has written."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.app.track_eval.command_line import PARAMETERS
from agent.errors import SequenceError, SettingsError
from agent.evaluation.following import Followed, Timer, follow, read_followed
from agent.evaluation.sequence import Sequence
from agent.settings.load import load_site
from agent.settings.types import Duration
from agent.settings.types.refused import RefusedError
from agent.track.bytetrack_settings import bytetrack_settings
from trackers import ByteTrackSettings

DEFAULT, REFERENCE, RESULTS = "default", "reference", "results"


@dataclass(frozen=True)
class Contestant:
    """One column of names in the table.

    Attributes:
        name: of the set of parameters, or `results`.
        settings_at: the parameters at a frame rate; None where results are read.
        changed: parameters that are not the set's own.
    """

    name: str
    settings_at: Callable[[float], ByteTrackSettings] | None
    changed: Mapping[str, float]

    def told(self) -> str:
        """What is changed, in words; empty if nothing is."""
        return ", ".join(f"{name} {value:g}" for name, value in self.changed.items())


def contestants(options: argparse.Namespace) -> list[Contestant]:
    """The one asked for first, then those to compare with; none twice.

    Raises:
        SettingsError: the site file is wrong, or a parameter is out of range.
    """
    asked = [_chosen(options), *(_set(name) for name in options.compare)]
    unique = list({each.name: each for each in asked}.values())
    for each in unique:
        _try_out(each)
    return unique


def followed_by(
    contestant: Contestant, sequence: Sequence, folder: Path, options: argparse.Namespace, timer: Timer
) -> Followed:
    """What this contestant says of the sequence.

    Raises:
        SequenceError: results are missing or malformed.
    """
    if contestant.settings_at is None:
        return read_followed(_results_of(options.results, sequence.name, folder), sequence, every=options.every)
    settings = contestant.settings_at(sequence.frame_rate / options.every)
    return follow(sequence, settings, every=options.every, timer=timer)


def _chosen(options: argparse.Namespace) -> Contestant:
    if options.results:
        return Contestant(RESULTS, None, {})
    changed = _changed(options)
    mark = "+" if changed else ""
    if options.site:
        of_site = bytetrack_settings(load_site(options.site, os.environ, check_files=False).tracking)
        return Contestant(f"{options.site.name}{mark}", lambda _: replace(of_site, **changed), changed)
    plain = _set(REFERENCE if options.reference else DEFAULT)
    at = plain.settings_at
    return Contestant(f"{plain.name}{mark}", at and (lambda rate: replace(at(rate), **changed)), changed)


def _set(name: str) -> Contestant:
    if name == REFERENCE:
        return Contestant(name, lambda rate: ByteTrackSettings.reference(frame_rate=rate), {})
    return Contestant(name, lambda _: ByteTrackSettings(), {})


def _changed(options: argparse.Namespace) -> dict[str, Any]:
    changed = {name: getattr(options, name) for name in PARAMETERS if getattr(options, name) is not None}
    if options.lost_patience is not None:
        try:
            changed["lost_patience_s"] = float(Duration.parse(options.lost_patience))
        except RefusedError as error:
            raise SettingsError(
                f"--lost-patience: found {options.lost_patience!r}; allowed is {error.allowed}"
            ) from error
    return changed


def _try_out(contestant: Contestant) -> None:
    if contestant.settings_at is not None:
        try:
            contestant.settings_at(30.0)
        except ValueError as error:
            raise SettingsError(f"the tracker's parameters ({contestant.name}): {error}") from error


def _results_of(results: Path, name: str, folder: Path) -> Path:
    """Where this sequence's results are: the file itself, a file of its name, or one in its own folder."""
    if results.is_file():
        return results
    places = [results / f"{name}.txt", results / f"{Path(name).name}.txt"] if results.is_dir() else [folder / results]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise SequenceError(f"no results of {name}: there is no {' and no '.join(dict.fromkeys(map(str, places)))}")
    return found
