"""The command line: what can be asked of sitewatch, read like a page of a manual."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from agent import manual
from agent.app.batch import command_line as batch
from agent.app.exit_status import exit_code
from agent.app.model import command_line as model_tools
from agent.app.serve import command_line as serve
from agent.app.track_eval.command_line import describe as describe_track_eval
from agent.app.track_eval.command_line import usage_mistake
from agent.errors import SitewatchError
from agent.service.exit_codes import ExitCode
from devices.errors import DevicesError

# As a shell tells of a program that SIGINT ended.
INTERRUPTED = 130
PAGE_WIDTH = 82
VERB_INDENT = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit status."""
    try:
        return _run_verb(arguments)
    except BrokenPipeError:  # the reader had enough, as `head` has
        return ExitCode.OK
    finally:
        _empty_stdout()


def _run_verb(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.verb.startswith(("agent.app.replay", "agent.app.batch")) and not (options.model or options.site):
        word = options.verb.split(".")[2]
        parser.error(f"{word} needs --model M.onnx, --model motion or --site SITE.yaml")
    if options.verb.startswith("agent.app.track_eval") and (mistake := usage_mistake(options)):
        parser.error(mistake)
    module, _, function = options.verb.partition(":")
    try:
        return int(getattr(import_module(module), function)(options))
    except (SitewatchError, DevicesError) as error:
        print(f"sitewatch: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:  # before or after the verb listens for signals itself
        return INTERRUPTED


def _empty_stdout() -> None:
    """Write what is left of the help; where that fails, let it go, or the interpreter would complain at its end."""
    if sys.stdout is None:  # the shell closed it
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong and exits 64, as sysexits has it."""

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse never returns here either
        self.exit(ExitCode.USAGE, f"{self.format_usage()}sitewatch: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sitewatch", description=manual.SITEWATCH, epilog=manual.SITEWATCH_MORE, formatter_class=_Page
    )
    add = _adder(parser, "verbs", "VERB")
    _describe_run(add("run", "run a site until stopped", manual.RUN, manual.RUN_MORE))
    _describe_check(add("check", "check a site file and all that it names", manual.CHECK, manual.CHECK_MORE))
    _describe_probe(add("probe", "what this machine has and what can run here", manual.PROBE, manual.PROBE_MORE))
    _describe_build(add("build", "make a site's engines ready ahead of time", manual.BUILD, manual.BUILD_MORE))
    _describe_replay(add("replay", "run a clip through the whole line", manual.REPLAY, manual.REPLAY_MORE))
    describe_track_eval(
        add("track-eval", "score the tracker on recorded sequences", manual.TRACK_EVAL, manual.TRACK_EVAL_MORE)
    )
    batch.describe(add("batch", "run many clips through one engine", batch.DESCRIPTION, batch.MORE))
    serve.describe(add("serve", "answer detection requests over HTTP", serve.DESCRIPTION, serve.MORE))
    model = add("model", "tools that make a model fit, check it and serve it", manual.MODEL, manual.MODEL_MORE)
    model_tools.describe(_adder(model, "tools", "TOOL"))
    add("version", "print the version", manual.VERSION, "").set_defaults(verb="agent.app.version:main")
    return parser


def _adder(parser: argparse.ArgumentParser, title: str, metavar: str) -> model_tools.AddParser:
    """What adds a word below this parser: its name, a line of help, its description and what follows the options."""
    words = parser.add_subparsers(title=title, metavar=metavar, required=True)

    def add(name: str, help_line: str, description: str, more: str) -> argparse.ArgumentParser:
        return words.add_parser(name, help=help_line, description=description, epilog=more, formatter_class=_Page)

    return add


class _Page(argparse.RawDescriptionHelpFormatter):
    """As wide as the manual's texts, whatever the terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=PAGE_WIDTH)

    def add_argument(self, action: argparse.Action) -> None:
        """As argparse does it, but aware of how far it indents the verbs."""
        super().add_argument(action)
        if action.nargs == argparse.PARSER:
            longest = max(map(len, action.choices or ()), default=0)
            self._action_max_length = max(self._action_max_length, longest + VERB_INDENT)


def _describe_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("site", metavar="SITE.yaml", type=Path, help="the site file")
    run.set_defaults(verb="agent.app.run:main")


def _describe_check(check: argparse.ArgumentParser) -> None:
    check.add_argument("site", metavar="SITE.yaml", type=Path, help="the site file")
    check.add_argument(
        "--print", action="store_true", dest="show", help="print every key with its value in effect, secrets as stars"
    )
    check.set_defaults(verb="agent.app.check:main")


def _describe_probe(probe: argparse.ArgumentParser) -> None:
    probe.add_argument("site", metavar="SITE.yaml", type=Path, nargs="?", help="tell which engine this site would run")
    probe.add_argument("--json", action="store_true", help="as JSON")
    probe.set_defaults(verb="agent.app.probe:main")


def _describe_build(build: argparse.ArgumentParser) -> None:
    build.add_argument("site", metavar="SITE.yaml", type=Path, help="the site file")
    build.add_argument("--anew", action="store_true", help="measure again, whatever an earlier start found out")
    build.add_argument("--json", action="store_true", help="as JSON")
    build.set_defaults(verb="agent.app.build:main")


def _describe_replay(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("clip", metavar="CLIP", help="a video file")
    replay.add_argument("--model", metavar="M.onnx", help="the detection model, or the word `motion`")
    replay.add_argument("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    replay.add_argument("--site", metavar="SITE.yaml", type=Path, help="take model and thresholds from this site file")
    replay.add_argument("--events", metavar="F.jsonl", help="write events as JSON lines; - for standard output")
    replay.add_argument(
        "--mot",
        metavar="F.txt",
        type=Path,
        help="write tracks as frame,id,x,y,w,h,score,class,-1,-1; frames from 1, boxes in pixels",
    )
    replay.add_argument("--video", metavar="F.mp4", type=Path, help="write the clip with boxes, ids, labels and rate")
    replay.add_argument("--score-threshold", metavar="S", type=float, help="least score of a detection, 0 to 1")
    replay.set_defaults(verb="agent.app.replay.verb:main")
