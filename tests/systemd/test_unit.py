"""The units: what systemd itself says about them, and the promises others rely on."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.service.exit_codes import ExitCode

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
UNIT = SYSTEMD / "sitewatch@.service"
BOARDS = sorted(path.stem for path in (SYSTEMD / "boards").glob("*.conf"))
# Exposure levels of systemd-analyze: 0 is sealed off, 10 is a plain service of root's.
EXPOSURE, EXPOSURE_WITH_DEVICES = 2.0, 2.0
DEVICE = re.compile(r"(/dev/[\w./-]+|char-[\w*-]+) rw")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd: systemd-analyze is missing"
)


def settings(path: Path) -> dict[str, list[str]]:
    """Every key of a unit file with its values."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def placed(folder: Path, boards: Sequence[str]) -> dict[str, str]:
    """The units as on a box, but with a program that is here; gives the environment to look at them with."""
    for unit in SYSTEMD.glob("*@.*"):
        text = unit.read_text(encoding="utf-8").replace("/opt/sitewatch/current/bin/sitewatch", "/bin/true")
        (folder / unit.name).write_text(text, encoding="utf-8")
    drop_ins = folder / f"{UNIT.name}.d"
    drop_ins.mkdir()
    shutil.copy(SYSTEMD / "credentials.conf", drop_ins / "40-credentials.conf")
    for board in boards:
        shutil.copy(SYSTEMD / "boards" / f"{board}.conf", drop_ins / f"50-{board}.conf")
    return {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def analyse(folder: Path, environment: dict[str, str], *words: str) -> str:
    """What systemd-analyze says; it must not fail."""
    done = subprocess.run(
        ["systemd-analyze", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_systemd
@pytest.mark.parametrize(
    "boards", [(), *((board,) for board in BOARDS), tuple(BOARDS)], ids=lambda b: "+".join(b) or "cpu"
)
def test_systemd_finds_nothing_to_say(tmp_path: Path, boards: tuple[str, ...]) -> None:
    """Every key is known and well formed, in the unit by itself, with each drop-in, and with all of them."""
    environment = placed(tmp_path, boards)
    for unit in ("sitewatch@gate.service", "sitewatch-retry@gate.service", "sitewatch-retry@gate.timer"):
        said = analyse(tmp_path, environment, "verify", "--man=no", unit)

        assert [line for line in said.splitlines() if "sitewatch" in line or str(tmp_path) in line] == []


@needs_systemd
@pytest.mark.parametrize("board", [None, *BOARDS])
def test_the_sandbox_is_tight(tmp_path: Path, board: str | None) -> None:
    """By systemd's own measure, alone and with each drop-in."""
    environment = placed(tmp_path, [board] if board else [])
    said = analyse(tmp_path, environment, "security", "--offline=true", "--no-pager", str(tmp_path / UNIT.name))
    level = re.search(r"exposure level for \S+: ([\d.]+)", said)

    assert level is not None, said
    assert float(level[1]) <= (EXPOSURE_WITH_DEVICES if board else EXPOSURE), said


def test_a_wrong_site_file_is_not_restarted() -> None:
    """The exit code of a wrong site file and the units agree."""
    assert settings(UNIT)["RestartPreventExitStatus"] == [str(int(ExitCode.CONFIG))]
    later = settings(SYSTEMD / "sitewatch-retry@.service")["ExecCondition"]
    assert any(f"!= {int(ExitCode.CONFIG)}" in condition for condition in later)


def test_the_unit_speaks_the_protocol() -> None:
    """Readiness, watchdog, reload, restart and limit are on, and the agent has its own user and folders."""
    unit = settings(UNIT)

    assert unit["Type"] == ["notify"]
    assert int(unit["WatchdogSec"][0]) >= 10
    assert unit["Restart"] == ["on-failure"]
    assert unit["StartLimitBurst"] == ["5"]
    assert unit["OnFailure"] == ["sitewatch-retry@%i.timer"]
    assert unit["User"] == ["sitewatch"]
    assert unit["StateDirectory"] == unit["CacheDirectory"] == unit["RuntimeDirectory"] == ["sitewatch/%i"]
    assert "-HUP" in unit["ExecReload"][0]


def test_the_unit_s_user_and_groups_are_made() -> None:
    """The sysusers file makes the user and every group that the unit or a drop-in names."""
    made = (SYSTEMD / "sysusers.d" / "sitewatch.conf").read_text().splitlines()
    users = {line.split()[1] for line in made if line.startswith("u ")}
    groups = {line.split()[1] for line in made if line.startswith("g ")}
    files = [UNIT, *(SYSTEMD / "boards").glob("*.conf")]
    named = {
        group for path in files for value in settings(path).get("SupplementaryGroups", []) for group in value.split()
    }

    assert users == {settings(UNIT)["User"][0]}
    assert groups == named


def test_the_site_files_are_the_group_s_to_read_and_nobody_s_to_write() -> None:
    """Site files may hold addresses with names, credentials are for the manager alone."""
    lines = (SYSTEMD / "tmpfiles.d" / "sitewatch.conf").read_text().splitlines()
    folders = {line.split()[1]: line.split()[2:5] for line in lines if line.startswith("d ")}

    assert folders == {
        "/etc/sitewatch": ["0750", "root", settings(UNIT)["Group"][0]],
        "/etc/sitewatch/credentials": ["0700", "root", "root"],
    }


@pytest.mark.parametrize("board", BOARDS)
def test_a_drop_in_opens_devices_and_nothing_else(board: str) -> None:
    """Devices are named one by one or by their class, and no other part of the sandbox is opened but as listed."""
    drop_in = settings(SYSTEMD / "boards" / f"{board}.conf")
    devices = drop_in["DeviceAllow"]

    assert drop_in["PrivateDevices"] == ["no"]
    assert devices
    assert len(set(devices)) == len(devices)
    assert [device for device in devices if not DEVICE.fullmatch(device)] == []
    allowed = {"PrivateDevices", "DeviceAllow", "SupplementaryGroups", "Environment", "LimitMEMLOCK", "Wants", "After"}
    assert set(drop_in) - allowed <= ({"RestrictAddressFamilies"} if board == "myriad" else set())


def test_the_unit_opens_no_device() -> None:
    """Without a drop-in there is no device at all; with one, only what it names."""
    unit = settings(UNIT)

    assert (unit["PrivateDevices"], unit["DevicePolicy"]) == (["yes"], ["closed"])
    assert "DeviceAllow" not in unit
