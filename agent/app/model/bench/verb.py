"""`sitewatch model bench`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.app.engine_exam import make_exam
from agent.app.machine import Machine
from agent.app.model.bench.report import as_json, as_text, title
from agent.app.model.evaluate.bars import Bars
from agent.app.model.evaluate.model_options import inventory_with_servers, model_settings, wanted_engines
from agent.app.quiet import quiet_libraries
from agent.app.replay.part_file import PartFile
from agent.app.saying import say
from agent.detect.detection_plan import DetectionPlan
from agent.errors import OutputError, ToolInputError, ToolUnavailableError
from agent.models.bench.combination import Combination, Wanted, combine
from agent.models.bench.plot import plot_png, require_plotting
from agent.models.bench.timed_round import Pace
from agent.models.bench.turns import Outcome, measure_in_turns
from agent.models.evaluate.engine_use import engines_here
from agent.service.exit_codes import ExitCode
from agent.settings.types import PictureSize, RefusedError
from devices.engines.engine import Tensors


def main(options: argparse.Namespace) -> int:
    """Print what was measured, and draw it.

    Raises:
        SitewatchError: a model or option cannot be used, nothing could be measured, or the plot cannot be written.
    """
    quiet_libraries()
    with ExitStack() as stack:
        plot = None if options.plot is None else stack.enter_context(_plot_file(options.plot))
        _bench(options, plot)
    return ExitCode.OK


def _bench(options: argparse.Namespace, plot: Path | None) -> None:
    machine = Machine(worker_python=options.worker_python)
    pace = Pace(options.warm_up, options.seconds)
    outcomes = _measured(_combinations(options, machine), options.rounds, pace)
    hardware = machine.hardware()
    say((as_json if options.json else as_text)(hardware, outcomes, options.rounds, pace))
    if all(each.figures is None for each in outcomes):
        raise ToolUnavailableError(f"nothing could be measured: {outcomes[0].failure}")
    if plot is not None:
        plot.write_bytes(plot_png(outcomes, title(hardware)))


def _combinations(options: argparse.Namespace, machine: Machine) -> list[Combination]:
    wanted = Wanted(
        sizes=_sizes(options.input_size) or (None,),
        batches=options.batch or (None,),
        precisions=options.precision,
        sessions=options.sessions,
        threads=options.threads,
    )
    processors = max(1, int(machine.hardware().cpu_limit))
    combinations = []
    for path in options.models:
        model = model_settings(options, path, precision="auto", input_size=None, calibration=options.calibration)
        uses = engines_here(wanted_engines(options), inventory_with_servers(machine, model), path)
        combinations += combine(model, uses, wanted, processors)
    return combinations


def _sizes(texts: Sequence[str]) -> tuple[PictureSize, ...]:
    try:
        return tuple(PictureSize.parse(int(text) if text.isdecimal() else text) for text in texts)
    except RefusedError as error:
        raise ToolInputError(f"--input-size: {error}") from error


def _measured(combinations: Sequence[Combination], rounds: int, pace: Pace) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="sitewatch-bench-") as engines, Bars("rounds") as bars:
        return measure_in_turns(
            combinations,
            _feed,
            rounds,
            pace,
            cache_dir=Path(engines),
            progress=lambda done, total, name: bars.at("bench", done, total, name),
        )


def _feed(plan: DetectionPlan) -> Tensors:
    """A real picture, as often as the batch asks."""
    return make_exam(plan).questions[0]


@contextmanager
def _plot_file(path: Path) -> Iterator[Path]:
    """Where to draw; known to be good before minutes go into measuring, and there under its name only when whole."""
    require_plotting()
    if path.suffix.lower() != ".png":
        raise ToolInputError(f"--plot: found {path.name}; the picture is a PNG, so its name must end in .png")
    part, is_whole = PartFile(path), False
    try:
        yield part.path
        is_whole = True
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.settle(keep=is_whole)
