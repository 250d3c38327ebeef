"""Proves the unit and the installer under a real systemd: start, work, watchdog, restarts, stop, upgrade, roll-back.

Everything is what a box gets: scripts/install with the locked packages, the shipped unit with its whole sandbox, a
camera over RTSP, a broker with a password handed over as a credential. Prints a line a finding; ends at the first that
is not so.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from board_nodes import OTHER_NODE, nodes_of, opened
from booted_systemd import BootedSystemd, until, why_not_here
from live.sites import INPUT_PX, SIZE_PX, write_clip
from models.square_detectors import build_detector
from proving_ground import SYSTEM_PYTHON, UNIT, Proof
from servers.mosquitto import Mosquitto
from servers.rtsp import RtspServer

REPOSITORY = Path(__file__).resolve().parents[2]
WRONG, TAKEN = "sitewatch@wrong.service", "sitewatch@taken.service"
PASSWORD = "a password"
NOT_HERE, CONFIG, ROLLED_BACK = 69, 78, 70


def told(sentence: str) -> None:
    """One finding."""
    print(f"  {sentence}", flush=True)


def installs(proof: Proof) -> None:
    status, said = proof.install("--with", "intel")
    assert status == 0, said
    status, again = proof.install("--with", "intel")
    assert status == 0, again
    assert "is there already" in again
    assert not re.search(r"sitewatch: (write|link|copy|remove|make)", again), again
    told("scripts/install puts the locked packages, units and user on the box; a second time it changes nothing")


def starts(proof: Proof) -> None:
    model = build_detector("yolov8", proof.folder / "squares.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)
    proof.box.must("cp", str(model), "/etc/sitewatch/squares.onnx")
    proof.box.write("/etc/sitewatch/credentials/broker", PASSWORD, mode="600")
    proof.site("yard")
    began_s = time.monotonic()
    proof.box.must("systemctl", "start", UNIT)
    assert proof.is_ready()
    told(
        f"start returned after {time.monotonic() - began_s:.1f} s, when READY came: "
        f"{proof.box.show(UNIT, 'StatusText')}"
    )


def works(proof: Proof) -> None:
    until(lambda: proof.status().get("broker") == {"connected": True}, "the broker is connected")
    until(lambda: proof.frames() > 10, "frames are captured")
    told(
        "in the sandbox: camera over RTSP, login at the broker with a credential, engine "
        f"{proof.status()['site']['engine']}"
    )
    status = proof.box.must("cat", f"/proc/{proof.pid()}/status")
    found = dict(re.findall(r"^(Uid|CapEff|NoNewPrivs|Seccomp):\s*(\S+)", status, re.MULTILINE))
    assert found == {"Uid": found["Uid"], "CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}, found
    assert found["Uid"] != "0"
    told(f"the process: {found}")


def survives_a_freeze(proof: Proof) -> None:
    pid = proof.pid()
    proof.box.must("kill", "-STOP", str(pid))
    began_s = time.monotonic()
    until(lambda: proof.is_ready() and proof.pid() not in {0, pid}, "the watchdog restarted it", 120)
    said = proof.box.must("journalctl", "--no-pager", "--unit", UNIT)
    assert "Watchdog timeout" in said
    told(f"frozen with SIGSTOP: the watchdog ended it, and it was ready again {time.monotonic() - began_s:.0f} s later")


def prints_where_it_hung(proof: Proof) -> None:
    pid = proof.pid()
    proof.box.must("kill", "-ABRT", str(pid))
    until(lambda: proof.is_ready() and proof.pid() not in {0, pid}, "it is back after SIGABRT", 60)
    said = proof.box.must("journalctl", "--no-pager", "--unit", UNIT)
    assert "Fatal Python error: Aborted" in said
    told("SIGABRT, which is what the watchdog sends, prints where each thread stood")


def survives_a_kill(proof: Proof) -> None:
    pid, restarts = proof.pid(), int(proof.box.show(UNIT, "NRestarts"))
    proof.box.must("kill", "-KILL", str(pid))
    until(lambda: proof.is_ready() and proof.pid() not in {0, pid}, "it is back", 60)
    assert int(proof.box.show(UNIT, "NRestarts")) == restarts + 1
    told("killed: restarted and ready")


def reloads(proof: Proof) -> None:
    pid = proof.pid()
    proof.site("yard", events={"update_every": "2s"})
    proof.box.must("systemctl", "reload", UNIT)
    until(lambda: "applied" in proof.box.must("journalctl", "--no-pager", "--unit", UNIT), "it is applied")
    until(proof.is_ready, "it is active after the reload")
    assert proof.pid() == pid
    told("systemctl reload: the same process goes on")


def stops(proof: Proof) -> None:
    began_s = time.monotonic()
    proof.box.must("systemctl", "stop", UNIT)
    took_s = time.monotonic() - began_s
    assert proof.box.show(UNIT, "ActiveState") == "inactive"
    assert (proof.box.show(UNIT, "Result"), proof.box.show(UNIT, "ExecMainStatus")) == ("success", "0")
    told(f"systemctl stop: exit status 0 after {took_s:.1f} s")


def is_not_restarted_when_wrong(proof: Proof) -> None:
    proof.site("wrong", model={"path": "/nowhere.onnx"})
    assert proof.box.run("systemctl", "start", WRONG)[0] != 0
    time.sleep(8)  # longer than RestartSec
    assert proof.box.show(WRONG, "ExecMainStatus") == str(CONFIG)
    assert (proof.box.show(WRONG, "ActiveState"), proof.box.show(WRONG, "NRestarts")) == ("failed", "0")
    proof.box.run("systemctl", "start", "sitewatch-retry@wrong.service")
    assert proof.box.show(WRONG, "ActiveState") == "failed"
    told("a wrong site file: exit status 78, no restart, and the later try leaves it alone, too")


def rests_and_tries_again(proof: Proof) -> None:
    """The site's address is taken, by one that is already running."""
    proof.site("yard")
    proof.box.must("systemctl", "start", UNIT)
    proof.site("taken", broker=None, sink="jsonl", events_file="/var/lib/sitewatch/taken/events.jsonl")
    proof.box.write("/run/systemd/system/sitewatch@taken.service.d/q.conf", "[Service]\nRestartSec=100ms\n")
    proof.box.must("systemctl", "daemon-reload")
    proof.box.run("systemctl", "start", TAKEN)
    until(lambda: proof.box.show(TAKEN, "ActiveState") == "failed", "the start limit is reached", 120)
    assert proof.box.show(TAKEN, "Result") in {"start-limit-hit", "exit-code"}
    assert int(proof.box.show(TAKEN, "NRestarts")) == 5
    assert proof.box.show("sitewatch-retry@taken.timer", "ActiveState") == "active"
    proof.box.must("systemctl", "stop", UNIT)
    proof.box.must("systemctl", "start", "sitewatch-retry@taken.service")  # half an hour is long
    until(lambda: proof.is_ready(TAKEN), "the later try succeeds", 60)
    proof.box.must("systemctl", "stop", TAKEN)
    told("an address that is taken: five starts, rest, and the later try succeeds once it is free")


def opens_no_device_but_its_own(proof: Proof) -> None:
    for conf in sorted((REPOSITORY / "systemd" / "boards").glob("*.conf")):
        wanted = nodes_of(conf)
        found = opened(proof.box, conf, wanted)
        assert {found[name] for name in wanted} <= {"ENXIO"}, (conf.name, found)
        assert found[OTHER_NODE] == "EPERM", (conf.name, found)
    bare = opened(proof.box, None, ["/dev/video0", "/dev/nvmap"])
    assert set(bare.values()) == {"ENOENT"}, bare
    told("each board's drop-in opens its nodes and refuses another one beside them; without one there are none")


def upgrades(proof: Proof) -> None:
    proof.box.must("systemctl", "start", UNIT)
    pid = proof.pid()
    _become(proof.tree, "0.1.0", "0.1.1")
    status, said = proof.install("--with", "intel")
    assert status == 0, said
    assert proof.is_ready()
    assert proof.pid() != pid
    assert proof.box.must("readlink", "/opt/sitewatch/current").strip() == "/opt/sitewatch/releases/0.1.1"
    told("an upgrade: the site is restarted with the new release and ready")


def rolls_back(proof: Proof) -> None:
    _become(proof.tree, "0.1.1", "0.1.2")
    line = proof.tree / "agent" / "app" / "run.py"
    line.write_text(line.read_text(encoding="utf-8") + "\nraise RuntimeError('a release that does not work')\n")
    status, said = proof.install("--with", "intel")
    assert status == ROLLED_BACK, said
    assert "0.1.1 is in use again, and every site is ready again" in said, said
    assert proof.is_ready()
    assert proof.box.must("readlink", "/opt/sitewatch/current").strip() == "/opt/sitewatch/releases/0.1.1"
    told("an upgrade that does not become ready: the release before is back, and the site ready")


def uninstalls(proof: Proof) -> None:
    proof.box.must("systemctl", "enable", UNIT)
    python = f"PYTHON={SYSTEM_PYTHON}"
    proof.box.must("env", python, str(proof.tree / "scripts" / "uninstall"))
    assert proof.box.run("test", "-e", "/opt/sitewatch")[0] == 1
    assert proof.box.show(UNIT, "LoadState") == "not-found"
    proof.box.must("test", "-e", "/var/lib/sitewatch/yard/outbox.sqlite3")
    proof.box.must("env", python, str(proof.tree / "scripts" / "uninstall"), "--purge")
    for gone in ("/etc/sitewatch", "/var/lib/sitewatch", "/var/cache/sitewatch"):
        assert proof.box.run("test", "-e", gone)[0] == 1, gone
    assert proof.box.run("id", "sitewatch")[0] == 1
    told("uninstall leaves site files and state, --purge nothing")


STEPS = (
    installs, starts, works, survives_a_freeze, prints_where_it_hung, survives_a_kill, reloads, stops,
    is_not_restarted_when_wrong, rests_and_tries_again, opens_no_device_but_its_own, upgrades, rolls_back, uninstalls,
)  # fmt: skip


def _become(tree: Path, version: str, other: str) -> None:
    init = tree / "agent" / "__init__.py"
    init.write_text(init.read_text(encoding="utf-8").replace(f'"{version}"', f'"{other}"'), encoding="utf-8")
    project = tree / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").replace(f'"{version}"', f'"{other}"'), encoding="utf-8")


@contextmanager
def proving(folder: Path) -> Iterator[Proof]:
    """A box, a camera and a broker."""
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "tests", "var", "build", "dist")
    shutil.copytree(REPOSITORY, folder / "tree", ignore=unwanted)
    write_clip(folder / "clip.mp4")
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker", user="yard", password=PASSWORD))
        camera = stack.enter_context(RtspServer({"yard": folder / "clip.mp4"}))
        box = stack.enter_context(BootedSystemd(folder / "machine"))
        yield Proof(box, folder, camera, broker)


def main() -> int:
    """Run every step; the exit status is 0 where all hold, 1 where one does not, 69 where it cannot be tried here."""
    if reason := why_not_here():
        print(f"not tried: {reason}")
        return NOT_HERE
    # Not below /tmp, where the box has a folder of its own.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, proving(Path(folder)) as proof:
        print(proof.box.must("systemctl", "--version").splitlines()[0], "is process 1", flush=True)
        return all_hold(proof)


def all_hold(proof: Proof) -> int:
    """0 where every step holds; 1, with the journal's last lines, where one does not."""
    try:
        for step in STEPS:
            step(proof)
    except AssertionError:
        traceback.print_exc()
        print(proof.box.run("journalctl", "--no-pager", "--lines=60", "--output=cat")[1])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
