"""The command line: what can be asked of sitewatch, read like a page of a manual."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from agent import manual
from agent.app.exit_status import exit_code
from agent.errors import SitewatchError
from agent.service.exit_codes import ExitCode
from devices.errors import DevicesError

# As a shell tells of a program that SIGINT ended.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit status."""
    try:
        try:
            return _run_verb(arguments)
        finally:
            if sys.stdout is not None:  # as it is where the shell closed it
                sys.stdout.flush()  # else a reader that went away is found out when the interpreter ends
    except BrokenPipeError:  # the reader had enough, as `head` has
        _forget_stdout()
        return ExitCode.OK


def _run_verb(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.verb.startswith("agent.app.replay") and not (options.model or options.site):
        parser.error("replay needs --model M.onnx, --model motion or --site SITE.yaml")
    module, _, function = options.verb.partition(":")
    try:
        return int(getattr(import_module(module), function)(options))
    except (SitewatchError, DevicesError) as error:
        print(f"sitewatch: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:  # before or after the verb listens for signals itself
        return INTERRUPTED


def _forget_stdout() -> None:
    """Let what is left in its buffer go nowhere, so that the interpreter's end finds nothing to complain of."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong and exits 64, as sysexits has it."""

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse never returns here either
        self.exit(ExitCode.USAGE, f"{self.format_usage()}sitewatch: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(**_page("sitewatch", manual.SITEWATCH, manual.SITEWATCH_MORE))
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True, prog="sitewatch")
    _add_run(verbs.add_parser("run", help="run a site until stopped", **_page("run", manual.RUN, manual.RUN_MORE)))
    _add_check(
        verbs.add_parser(
            "check", help="check a site file and all it names", **_page("check", manual.CHECK, manual.CHECK_MORE)
        )
    )
    _add_probe(
        verbs.add_parser(
            "probe", help="what this machine has and can run", **_page("probe", manual.PROBE, manual.PROBE_MORE)
        )
    )
    _add_replay(
        verbs.add_parser(
            "replay", help="a clip through the whole line", **_page("replay", manual.REPLAY, manual.REPLAY_MORE)
        )
    )
    version = verbs.add_parser("version", help="the version", **_page("version", manual.VERSION, ""))
    version.set_defaults(verb="agent.app.version:main")
    return parser
