"""Finds how few layers must stay in float for the loss to be small enough."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import RefusedResultError
from agent.models.quantize.accuracy import Accuracy, Scored, worst_loss
from agent.models.quantize.sensitivity import LayerCost, Sensitivity, without
from devices.models.calibration_histogram import Range
from devices.models.qdq_layers import Layer

MOST_IN_FLOAT = 0.5
"""Part of the layers that may stay in float; beyond it there is nothing left to gain."""
NEAR_ENOUGH = 0.25
"""How far apart detections may be where no accuracy can be measured; see `apartness`."""

Files = Mapping[str, bytes]
"""A model's files by their endings, the one that names it first."""
Make = Callable[[Sequence[Layer]], Files]
"""Quantises these layers of the float model."""
Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Found:
    """The result.

    Attributes:
        files: of the quantised model.
        layers: in int8.
        in_float: the others, the costliest first, each with what it costs alone.
        scores: one an engine; empty where nothing was scored.
        apart: from the float model on calibration pictures.
        attempts: models tried.
    """

    files: Files
    layers: tuple[Layer, ...]
    in_float: tuple[LayerCost, ...]
    scores: tuple[Scored, ...]
    apart: float
    attempts: int


@contextmanager
def laid_out(files: Files) -> Iterator[Path]:
    """The model where it can be loaded from, before it has its name."""
    with tempfile.TemporaryDirectory(prefix="sitewatch-") as folder:
        paths = [Path(folder) / f"model{ending}" for ending in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        yield paths[0]


class Int8Search:
    """Tries with more and more layers in float."""

    def __init__(
        self,
        make: Make,
        layers: Sequence[Layer],
        ranges: Mapping[str, Range],
        sensitivity: Sensitivity,
        accuracy: Accuracy | None,
        told: Told = lambda _sentence: None,
    ) -> None:
        """Nothing runs yet.

        Args:
            make: quantises.
            layers: all that may be.
            ranges: of their tensors.
            sensitivity: of the float model.
            accuracy: measures the loss; where None, the distance on calibration pictures decides.
            told: is told of every attempt, in a sentence.
        """
        self._make = make
        self._layers = tuple(layers)
        self._ranges = ranges
        self._sensitivity = sensitivity
        self._accuracy = accuracy
        self._told = told

    def run(self, most_loss: float, ranking: Callable[[int, int], None] = lambda _d, _t: None) -> Found:
        """The first attempt whose loss is small enough.

        Args:
            most_loss: of COCO's AP, on the worst engine.
            ranking: is told after every layer that was tried alone.

        Raises:
            RefusedResultError: none is, with half of the layers in float.
        """
        costs: list[LayerCost] = []
        attempts: list[str] = []
        for count in _counts(int(len(self._layers) * MOST_IN_FLOAT)):
            if count and not costs:
                costs = self._sensitivity.costs(self._layers, self._ranges, ranking)
            found = self._attempt(without(self._layers, costs, count), costs[:count], len(attempts) + 1)
            attempts.append(_sentence(found))
            self._told(attempts[-1])
            if self._is_good(found, most_loss):
                return found
        limit = f"{most_loss:g} AP" if self._accuracy else f"{NEAR_ENOUGH:g} apart"
        raise RefusedResultError(
            f"too much is lost (at most {limit} is allowed), and nothing was written: {attempts[-1]}; "
            "more calibration pictures, another --method, or a higher --max-loss may help"
        )

    def _attempt(self, layers: Sequence[Layer], in_float: Sequence[LayerCost], number: int) -> Found:
        files = self._make(layers)
        apart = self._sensitivity.apart_with(layers, self._ranges)
        return Found(files, tuple(layers), tuple(in_float), self._scores(files), apart, number)

    def _scores(self, files: Files) -> tuple[Scored, ...]:
        if self._accuracy is None:
            return ()
        with laid_out(files) as path:
            return self._accuracy.of(path, "int8")

    def _is_good(self, found: Found, most_loss: float) -> bool:
        return worst_loss(found.scores) <= most_loss if found.scores else found.apart <= NEAR_ENOUGH


def _counts(most: int) -> Iterator[int]:
    """0 1 2 3 4 6 8 12 16 24 32 ..."""
    count, step = 0, 1
    while count <= most:
        yield count
        if count >= 4 * step:
            step *= 2
        count += step


def _sentence(found: Found) -> str:
    kept = f"{len(found.layers)} layers in int8, {len(found.in_float)} in float"
    if not found.scores:
        return f"{kept}: {found.apart:.3f} apart"
    return f"{kept}: " + ", ".join(
        f"AP {'none' if each.after is None else f'{each.after:.4f}'} of {each.before:.4f} on {each.engine}"
        for each in found.scores
    )
