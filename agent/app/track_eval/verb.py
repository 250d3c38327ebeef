"""`sitewatch track-eval`."""

from __future__ import annotations

import argparse
import time

from agent.app.saying import say
from agent.app.track_eval.contestants import contestants
from agent.app.track_eval.report import as_json, as_text
from agent.app.track_eval.rounds import evaluate
from agent.app.track_eval.timing import take_times
from agent.service.exit_codes import ExitCode


def main(options: argparse.Namespace) -> int:
    """Print scores, times, or both.

    Raises:
        SitewatchError: a sequence, parameter, output or peer cannot be used.
    """
    chosen = contestants(options)
    outcomes = evaluate(options, chosen, time.thread_time) if options.folders else []
    times = take_times(chosen, options.peer_python, time.thread_time) if options.speed else []
    say(as_json(chosen, outcomes, times, options.every) if options.json else as_text(chosen, outcomes, times))
    return ExitCode.OK
