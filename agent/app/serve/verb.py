"""`sitewatch serve`."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from importlib.util import find_spec

from agent.app.quiet import quiet_libraries
from agent.app.stop_requests import StopRequests
from agent.errors import ToolUnavailableError
from agent.service.children import end_children
from agent.service.signals import StopSignals
from agent.telemetry.log import Log
from agent.telemetry.masking import Mask

NEEDED = {"PIL": "Pillow", "python_multipart": "python-multipart"}


def main(options: argparse.Namespace) -> int:
    """Serve until stopped; what keeps it from serving is told in the log.

    Raises:
        ToolUnavailableError: a package of the extra is missing.
        SettingsError: an option cannot be used; there is no log yet.
    """
    missing = [name for module, name in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ToolUnavailableError(f"serve needs {' and '.join(missing)}: pip install 'sitewatch[serve]'")
    stop = StopRequests()
    with StopSignals(stop.ask):
        plan = import_module("agent.app.serve.plan").plan_of(options, os.environ)
        quiet_libraries()
        token = plan.address.token
        mask = Mask([] if token is None else [token])
        with Log(options.log_format, options.log_level, sys.stderr, mask):
            status = int(import_module("agent.app.serve.serving").Serving(plan, stop).until_stopped())
    if stop.is_thread_left:  # one that is stuck in a vendor's library would not let go
        end_children()
        sys.stderr.flush()
        os._exit(status)
    return status
