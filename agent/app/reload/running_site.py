"""A site that runs, with everything that can be changed about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.app.detection import Detection
from agent.app.happened import Happened
from agent.app.line import Line
from agent.app.reload.exchangeable_outgoing import ExchangeableOutgoing
from agent.app.status_board import StatusBoard
from agent.detect.detection_plan import DetectionPlan
from agent.pipeline.line_change import LineChanges
from agent.publish.outbox import Outbox
from agent.publish.publisher import Publisher
from agent.settings.models import SiteSettings
from agent.telemetry.log import Log


@dataclass(eq=False)
class RunningSite:
    """Changed by the thread that reloads, once the line runs; whoever closes the detection asks here for it.

    Attributes:
        site: the settings in effect.
        detection: in use.
        plan: of the model in use, with the thresholds in effect; None where there is no model.
        line, changes: the line's parts, and the way to let stages join and leave.
        outgoing, publisher, outbox: on the way out.
        board: keeps the statuses.
        happened: is told what happens.
        log: the process's.
        fits: of each camera whose tracks are kept, what must be the same for them to go on in the next run.
    """

    site: SiteSettings
    detection: Detection
    line: Line
    changes: LineChanges
    outgoing: ExchangeableOutgoing
    publisher: Publisher
    outbox: Outbox
    board: StatusBoard
    happened: Happened
    log: Log
    fits: Callable[[SiteSettings, tuple[str, ...]], dict[str, str]]
    plan: DetectionPlan | None = None

    def __post_init__(self) -> None:
        self.plan = self.detection.plan

    def close(self) -> None:
        """Let go of the engine in use."""
        self.detection.close()
