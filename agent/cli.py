"""The command line: what can be asked of sitewatch, read like a page of a manual."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from agent.app.exit_status import exit_code
from agent.errors import SitewatchError
from agent.service.exit_codes import ExitCode
from devices.errors import DevicesError

DESCRIPTION = """\
An agent for one camera site: it probes the machine's accelerators, makes the model ready on the best of them,
runs camera, detection and ByteTrack in threaded stages, publishes events over MQTT and serves metrics on this machine.
"""
EPILOG = """\
files:
  SITE.yaml          one site: its cameras, model, broker. config/sites/example.yaml explains every key,
                     config/site.schema.json lets an editor complete them
  state folder       events that wait for the broker: `state_dir` in the site file, else $STATE_DIRECTORY,
                     else ~/.local/state/sitewatch/SITE

signals:
  SIGTERM, SIGINT    stop: sources first, then every stage drains, then the broker is told. A second one ends at once

exit status:
  0   done, or stopped when asked        70  a bug; the service manager should start it afresh
  64  the command line is wrong          73  the state folder or an output file cannot be written
  65  a clip gave less than it promised  75  an address to serve on is taken
  66  a clip cannot be opened            78  the site file, or what it names, cannot be used
  69  no engine here can run the model

examples:
  sitewatch check site.yaml
  sitewatch run site.yaml
  sitewatch replay clip.mp4 --model yolox_nano.onnx --video annotated.mp4
"""

# As a shell tells of a program that SIGINT ended.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit status."""
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
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.OK


class _Parser(argparse.ArgumentParser):
    """Says what is wrong and exits 64, as sysexits has it."""

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse never returns here either
        self.exit(ExitCode.USAGE, f"{self.format_usage()}sitewatch: {message}\n")


def _parser() -> argparse.ArgumentParser:
    page = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="sitewatch", description=DESCRIPTION, epilog=EPILOG, formatter_class=page)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    run = verbs.add_parser("run", help="run a site until stopped", description="Run a site until stopped.")
    run.add_argument("site", metavar="SITE.yaml", type=Path)
    run.set_defaults(verb="agent.app.run:main")

    check = verbs.add_parser(
        "check",
        help="check a site file",
        description="Check a site file and all that it names. Exit 0, or 78 with every mistake in one report.",
    )
    check.add_argument("site", metavar="SITE.yaml", type=Path)
    check.add_argument("--print", action="store_true", dest="show", help="print what it comes to, secrets as stars")
    check.set_defaults(verb="agent.app.check:main")

    probe = verbs.add_parser("probe", help="what this machine has, what could run here, and why the rest cannot")
    probe.add_argument("--json", action="store_true", help="as JSON")
    probe.set_defaults(verb="agent.app.probe:main")

    _add_replay(verbs.add_parser("replay", help="a clip through the whole line", formatter_class=page))

    version = verbs.add_parser("version", help="the version")
    version.set_defaults(verb="agent.app.version:main")
    return parser


def _add_replay(replay: argparse.ArgumentParser) -> None:
    replay.description = "Run a clip through detection, tracking and events: every frame, in order, as fast as it goes."
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
