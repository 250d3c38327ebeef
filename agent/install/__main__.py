"""The command line behind scripts/install and scripts/uninstall."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from agent.clock import SystemClock
from agent.errors import InstallError, RolledBackError
from agent.install.hands import Hands
from agent.install.installing import AUTO, Installer, Wish
from agent.install.layout import Layout
from agent.install.locks import locks
from agent.install.manager import Manager
from agent.install.release import Source
from agent.install.removing import uninstall
from agent.service.exit_codes import ExitCode

TREE = Path(__file__).resolve().parents[2]
# The service sees no homes, so an interpreter in one would be gone for it.
HIDDEN_FROM_THE_SERVICE = {Path("/", name) for name in ("home", "root", "tmp")}
JETSON = Path("/proc/device-tree/compatible")
READY_WITHIN_S = 900.0
NEXT = """\
next:
  cp /etc/sitewatch/example.yaml /etc/sitewatch/NAME.yaml   and edit it
  sitewatch check /etc/sitewatch/NAME.yaml
  systemctl enable --now sitewatch@NAME"""
NEXT_ON_A_MAC = "next: the first lines of /opt/sitewatch/current/share/sitewatch/systemd/launchd/sitewatch.site.plist"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except RolledBackError as error:
        _say(str(error))
        return ExitCode.SOFTWARE
    except InstallError as error:
        _say(str(error))
        return ExitCode.UNAVAILABLE
    except OSError as error:
        _say(f"{error.filename}: {error.strerror}")
        return ExitCode.CANTCREAT
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    layout = Layout(options.root.resolve())
    hands = Hands(_say, os.environ, dry_run=options.dry_run)
    if not layout.is_staged and os.geteuid() != 0 and not options.dry_run:
        raise InstallError("this changes the machine: run it as root, or see what it would do with --dry-run")
    manager = _manager(options.manager, layout, hands)
    if options.verb == "uninstall":
        uninstall(layout, hands, manager, purge=options.purge)
        return ExitCode.OK
    source = _source(options, layout)
    release = Installer(Wish(source, options.board, options.ready_within), layout, hands, manager).install()
    _say(f"{'would be' if options.dry_run else 'is'} in use: {release}")
    _say(NEXT_ON_A_MAC if sys.platform == "darwin" else NEXT)
    return ExitCode.OK


def _manager(wanted: str, layout: Layout, hands: Hands) -> Manager | None:
    if wanted == "no" or (wanted == AUTO and (layout.is_staged or sys.platform == "darwin")):
        return None
    if shutil.which("systemctl") is None:
        raise InstallError("no systemctl here; --manager no puts the files where they belong and starts nothing")
    return Manager(hands, layout, SystemClock(), time.sleep)


def _source(options: argparse.Namespace, layout: Layout) -> Source:
    python = str(Path(sys.executable).resolve())
    if not layout.is_staged and HIDDEN_FROM_THE_SERVICE & set(Path(python).parents):
        raise InstallError(
            f"{python} is hidden from the service; name another: PYTHON=/usr/bin/python3 scripts/install"
        )
    is_jetson = options.jetson or (JETSON.is_file() and b"nvidia,tegra" in JETSON.read_bytes())
    wheel = None if options.wheel is None else options.wheel.resolve()
    pinned = locks(options.tree / "requirements", options.extras)
    return Source(options.tree, wheel, pinned, (python, platform.python_version()), is_jetson)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/install", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    into = verbs.add_parser(
        "install", prog="scripts/install", description="Put this release on the box, or upgrade to it."
    )
    into.add_argument("--with", dest="extras", action="append", default=[], metavar="EXTRA",
                      help="intel, nvidia, apple, demo; may be given several times")  # fmt: skip
    into.add_argument("--wheel", type=Path, help="sitewatch's own wheel; without it one is built from this tree")
    into.add_argument("--board", default=AUTO, metavar="NAMES",
                      help="drop-ins of systemd/boards, comma between; none; auto: of the devices found")  # fmt: skip
    into.add_argument("--jetson", action="store_true", help="use JetPack's own packages even where none is recognised")
    into.add_argument("--ready-within", type=float, default=READY_WITHIN_S, metavar="S",
                      help="seconds for the new release to be ready (%(default)g), else the old is back")  # fmt: skip
    into.add_argument("--tree", type=Path, default=TREE, help=argparse.SUPPRESS)
    away = verbs.add_parser("uninstall", prog="scripts/uninstall", description="Take sitewatch off the box.")
    away.add_argument("--purge", action="store_true", help="configuration, state, cache and user too")
    for verb in (into, away):
        verb.add_argument("--root", type=Path, default=Path("/"), help="a staging root instead of this box")
        verb.add_argument("--manager", choices=(AUTO, "yes", "no"), default=AUTO,
                          help="speak to systemd; auto: not with --root, and not on a Mac")  # fmt: skip
        verb.add_argument("--dry-run", action="store_true", help="print every step, and do nothing")
    return parser


def _say(sentence: str) -> None:
    print(f"sitewatch: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
