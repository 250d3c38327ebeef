"""The figures as a picture: times of one inference on the left, pictures a second on the right, a row a combination."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from agent.errors import ToolInputError, ToolUnavailableError
from agent.models.bench.figures import Figures
from agent.models.bench.turns import Outcome

WIDTH_INCHES, ROW_INCHES, FRAME_INCHES = 12.0, 0.42, 1.5
DOTS_PER_INCH = 110
MOST_ROWS = 120
BAR, TAIL, RATE = "#3b75af", "#d1495b", "#4f9d69"


def plot_png(outcomes: Sequence[Outcome], title: str) -> bytes:
    """A PNG of what was measured; rows that failed are left out.

    Args:
        outcomes: in the order of their rows, from the top.
        title: above it, after what all rows have in common.

    Raises:
        ToolUnavailableError: matplotlib is not installed.
        ToolInputError: there is nothing to draw, or more than fits.
    """
    drawn = [each for each in outcomes if each.figures]
    rows = [(label, each.figures) for label, each in zip(labels(drawn), drawn, strict=True) if each.figures]
    if not 0 < len(rows) <= MOST_ROWS:
        raise ToolInputError(f"--plot: {len(rows)} combinations have figures; from 1 to {MOST_ROWS} can be drawn")
    figure = _figure(len(rows))
    times, rates = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = list(range(len(rows)))
    _draw_times(times, [figures for _, figures in rows])
    _draw_rates(rates, [figures for _, figures in rows])
    times.set_yticks(places, [label for label, _ in rows], fontsize=8)
    times.invert_yaxis()
    figure.suptitle("; ".join(filter(None, (in_common(drawn), title))), fontsize=10)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH)
    return content.getvalue()


def labels(outcomes: Sequence[Outcome]) -> list[str]:
    """What tells the rows apart; what they all have in common is left out, but never the engine."""
    parts = [_parts(each) for each in outcomes]
    varying = _varying(parts)
    return [", ".join(each[place] for place in varying) for each in parts]


def in_common(outcomes: Sequence[Outcome]) -> str:
    """What is not in the labels, because all rows have it."""
    parts = [_parts(each) for each in outcomes]
    varying = _varying(parts)
    return ", ".join(part for place, part in enumerate(parts[0]) if place not in varying)


def _varying(parts: Sequence[tuple[str, ...]]) -> list[int]:
    """Places of what differs from row to row, and of the engine."""
    return [place for place, column in enumerate(zip(*parts, strict=True)) if place == 1 or len(set(column)) > 1]


def _parts(outcome: Outcome) -> tuple[str, ...]:
    each = outcome.combination
    precision = outcome.figures.precision if outcome.figures else each.precision
    sessions = "1 session" if each.sessions == 1 else f"{each.sessions} sessions"
    return (each.model.path.stem, each.use.name, each.size, f"batch {each.batch}", precision, sessions)


def require_plotting() -> Any:  # noqa: ANN401 - of a library that is an extra
    """The class that draws.

    Raises:
        ToolUnavailableError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ToolUnavailableError(
            f"--plot needs the package matplotlib, which cannot be imported ({error}): pip install 'sitewatch[tools]'"
        ) from error
    return Figure


def _figure(rows: int) -> Any:  # noqa: ANN401 - as above
    return require_plotting()(figsize=(WIDTH_INCHES, FRAME_INCHES + ROW_INCHES * rows), layout="constrained")


def _draw_times(axes: Any, rows: Sequence[Figures]) -> None:  # noqa: ANN401 - as above
    """A bar to the median, a line on to the 99th percentile with a mark at the 95th."""
    places = range(len(rows))
    marks = [
        axes.barh(places, [each.p50_ms for each in rows], height=0.6, color=BAR, label="p50"),
        *axes.plot([each.p95_ms for each in rows], places, "|", color=TAIL, markersize=11, label="p95"),
        axes.hlines(places, [each.p50_ms for each in rows], [each.p99_ms for each in rows], color=TAIL, label="to p99"),
    ]
    for place, each in enumerate(rows):
        axes.annotate(f"  {each.p50_ms:.1f} to {each.p99_ms:.1f}", (each.p99_ms, place), va="center", fontsize=8)
    axes.set_xlim(0, 1.25 * max(each.p99_ms for each in rows))
    axes.set_xlabel("milliseconds of one inference")
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.set_ylim(-1.0, len(rows) - 0.4)
    axes.legend(handles=marks, loc="upper right", ncols=3, fontsize=8, frameon=False)


def _draw_rates(axes: Any, rows: Sequence[Figures]) -> None:  # noqa: ANN401 - as above
    """A bar to the median of the rounds, and every round as a dot."""
    axes.barh(range(len(rows)), [each.pictures_per_s for each in rows], height=0.6, color=RATE)
    for place, each in enumerate(rows):
        axes.plot(each.rounds_per_s, [place] * len(each.rounds_per_s), ".", color="black", markersize=4)
        axes.annotate(f"  {each.pictures_per_s:.1f}", (max(each.rounds_per_s), place), va="center", fontsize=8)
    axes.set_xlim(0, 1.15 * max(max(each.rounds_per_s) for each in rows))
    axes.set_xlabel("pictures a second (dots: each round)")
    axes.grid(visible=True, axis="x", alpha=0.3)
