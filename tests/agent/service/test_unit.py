"""The unit file: what systemd itself says about it, and the promises others rely on."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.service.exit_codes import ExitCode

SYSTEMD = Path(__file__).resolve().parents[3] / "systemd"
UNIT = SYSTEMD / "sitewatch@.service"


def _service() -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] # systemd's keys have capitals
    parser.read(UNIT)
    return dict(parser["Service"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd: systemd-analyze is missing")
def test_systemd_finds_nothing_to_say(tmp_path: Path) -> None:
    """Every key is known and well formed; only the command is exchanged for one that is installed here."""
    text = UNIT.read_text().replace("/opt/sitewatch/bin/sitewatch", "/bin/true")
    unit = tmp_path / "sitewatch@gate.service"
    unit.write_text(text.replace("%i", "gate"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "sitewatch" in line]

    assert ours == []
    assert done.returncode == 0


def test_a_wrong_site_file_is_not_restarted() -> None:
    """The exit code of a wrong site file and the unit agree."""
    assert int(_service()["RestartPreventExitStatus"]) == ExitCode.CONFIG


def test_the_unit_speaks_the_protocol() -> None:
    """Readiness, watchdog and restart are on, and the agent has its own user and folders."""
    service = _service()

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 10
    assert service["Restart"] == "on-failure"
    assert service["User"] == "sitewatch"
    assert service["StateDirectory"] == "sitewatch/%i"


def test_the_unit_s_user_is_made() -> None:
    """The sysusers file makes the user and groups that the unit names."""
    made = (SYSTEMD / "sysusers.d" / "sitewatch.conf").read_text().splitlines()
    users = {line.split()[1] for line in made if line.startswith("u ")}
    groups = {line.split()[1] for line in made if line.startswith("g ")}

    assert users == {_service()["User"]}
    assert groups >= set(_service()["SupplementaryGroups"].split())


def test_the_site_files_are_the_group_s_to_read_and_nobody_s_to_write() -> None:
    """Site files may hold addresses with names; the folder is made for root to write and sitewatch to read."""
    lines = (SYSTEMD / "tmpfiles.d" / "sitewatch.conf").read_text().splitlines()
    folders = {line.split()[1]: line.split()[2:5] for line in lines if line.startswith("d ")}

    assert folders == {"/etc/sitewatch": ["0750", "root", _service()["Group"]]}
