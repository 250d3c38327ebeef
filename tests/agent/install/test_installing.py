"""A release is put on a box, upgraded, rolled back and taken away: a small wheel, a systemd that plays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from fakes.staged_box import StagedBox

from agent.errors import InstallError, RolledBackError

GATE, YARD = "sitewatch@gate.service", "sitewatch@yard.service"
DROP_INS = Path("usr/local/lib/systemd/system/sitewatch@.service.d")
RESTART = [f"systemctl reset-failed {GATE} {YARD}", f"systemctl restart --no-block {GATE} {YARD}"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where releases are kept between tests."""
    return tmp_path_factory.mktemp("built")


def test_an_installation_twice(tmp_path: Path, built: Path) -> None:
    """Everything is in its place; a second time changes nothing, nor does a dry run, which tells each step."""
    box = StagedBox(tmp_path, built)
    nothing = box.contents()
    box.install("1.0.0", dry_run=True)
    assert box.contents() == nothing
    assert all("would" in line for line in box.said)
    assert any("systemd-sysusers" in line for line in box.said)
    assert box.systemd.calls() == []

    box.install("1.0.0")
    assert box.systemd.calls()[-1] == "systemctl daemon-reload"
    assert box.current() == "1.0.0"
    assert (box.root / "usr/local/bin/sitewatch").readlink() == Path("/opt/sitewatch/current/bin/sitewatch")
    shebang = (box.root / "opt/sitewatch/releases/1.0.0/bin/sitewatch").read_text(encoding="utf-8").splitlines()[0]
    assert shebang == "#!/opt/sitewatch/releases/1.0.0/bin/python"
    units = {path.name for path in (box.root / "usr/local/lib/systemd/system").iterdir() if path.is_file()}
    assert units == {"sitewatch@.service", "sitewatch-retry@.service", "sitewatch-retry@.timer"}

    whole = box.contents()
    box.install("1.0.0")
    box.install("1.0.0", dry_run=True)
    assert box.contents() == whole


def test_an_upgrade_restarts_what_runs_and_keeps_one_release_to_go_back_to(tmp_path: Path, built: Path) -> None:
    """Instances are restarted with the new release, the operator's example stays as it is, older releases go."""
    box = StagedBox(tmp_path, built, GATE, YARD)
    box.install("1.0.0")
    example = box.root / "etc/sitewatch/example.yaml"
    example.write_text("# mine\n", encoding="utf-8")
    box.systemd.calls()
    box.install("1.1.0")
    assert box.systemd.calls()[-2:] == RESTART
    assert (box.current(), box.releases()) == ("1.1.0", {"1.0.0", "1.1.0"})

    (box.tree / "systemd" / "sitewatch@.service").write_text("# changed, with the same version\n", encoding="utf-8")
    box.install("1.1.0")
    assert box.current().startswith("1.1.0+")
    assert box.releases() == {"1.1.0", box.current()}
    assert example.read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize("state", [("failed", "failed"), ("activating", "auto-restart"), ("activating", "start")])
def test_what_does_not_become_ready_is_rolled_back(tmp_path: Path, built: Path, state: tuple[str, str]) -> None:
    """Whether it ends or is never ready: link, units and processes are those of the release before."""
    box = StagedBox(tmp_path, built, GATE, YARD)
    box.install("1.0.0")
    unit = box.root / "usr/local/lib/systemd/system/sitewatch@.service"
    before = unit.read_text(encoding="utf-8")
    box.systemd.breaks_with("1.1.0", *state)
    (box.tree / "systemd" / "sitewatch@.service").write_text("# another unit\n", encoding="utf-8")
    (box.tree / "systemd" / "sitewatch-retry@.timer").unlink()
    box.systemd.calls()

    with pytest.raises(RolledBackError, match=r"1\.0\.0 is in use again, and every site is ready again"):
        box.install("1.1.0")

    assert box.current() == "1.0.0"
    assert unit.read_text(encoding="utf-8") == before
    assert (unit.parent / "sitewatch-retry@.timer").exists()
    calls = box.systemd.calls()
    assert [call for call in calls if call in RESTART] == [*RESTART, *RESTART]
    assert calls[calls.index(RESTART[1]) + 1 :].index("systemctl daemon-reload") >= 0


def test_a_release_that_cannot_run_never_comes_into_use(tmp_path: Path, built: Path) -> None:
    """Told before anything is touched; what was half made is made anew the next time."""
    box = StagedBox(tmp_path, built, GATE)
    box.install("1.0.0")
    box.systemd.calls()
    with pytest.raises(InstallError, match="bin/python failed with status 3"):
        box.install("1.1.0", status=3)

    assert (box.current(), box.systemd.calls()) == ("1.0.0", [])
    box.install("1.1.0")
    assert box.current() == "1.1.0"


def test_drop_ins_stay_until_others_are_named(tmp_path: Path, built: Path) -> None:
    """A stick that is unplugged at the time of an upgrade keeps its drop-in and its udev rule."""
    box = StagedBox(tmp_path, built)
    box.install("1.0.0", board="myriad")
    box.install("1.1.0")
    assert (box.root / DROP_INS / "50-myriad.conf").exists()
    assert (box.root / "etc/udev/rules.d/60-sitewatch-myriad.rules").exists()

    box.install("1.1.0", board="none")
    assert [path.name for path in (box.root / DROP_INS).iterdir()] == ["40-credentials.conf"]
    assert not list((box.root / "etc/udev/rules.d").iterdir())
    with pytest.raises(InstallError, match="no such drop-in"):
        box.install("1.1.0", board="toaster")


def test_uninstalling(tmp_path: Path, built: Path) -> None:
    """Sites are stopped first; what was written or kept stays until it is purged; twice is no error."""
    box = StagedBox(tmp_path, built, GATE)
    box.install("1.0.0", board="intel-npu")
    kept = box.root / "var/lib/sitewatch/gate/outbox.sqlite3"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"events")
    whole = box.contents()
    box.uninstall(dry_run=True)
    assert box.contents() == whole
    box.systemd.calls()

    box.uninstall()
    assert box.systemd.calls()[:2] == [f"systemctl disable {GATE}", f"systemctl stop {GATE}"]
    left = {str(path.relative_to(box.root)) for path in box.root.rglob("*") if not path.is_dir()}
    assert left == {"etc/sitewatch/example.yaml", "var/lib/sitewatch/gate/outbox.sqlite3"}
    box.uninstall()
    box.uninstall(purge=True)
    assert not [path for path in box.root.rglob("*") if not path.is_dir()]


def test_on_a_jetson_the_system_s_packages_are_seen(tmp_path: Path, built: Path) -> None:
    """The environment shows JetPack's own packages, and the lock is the one without them."""
    box = StagedBox(tmp_path, built)
    release = box.install("1.0.0", is_jetson=True)

    assert "include-system-site-packages = true" in (release / "pyvenv.cfg").read_text(encoding="utf-8")
    assert (release / "base-jetson.lock").read_text(encoding="utf-8") == "# nothing\n# nothing instead\n"


def test_the_door_says_what_it_would_do(tmp_path: Path) -> None:
    """scripts/install --dry-run prints every step and makes not even the folder it is pointed to."""
    scripts = Path(__file__).resolve().parents[3] / "scripts"
    root = tmp_path / "root"
    done = subprocess.run(
        [scripts / "install", "--dry-run", "--root", root], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert f"would link {root}/opt/sitewatch/current to /opt/sitewatch/releases/" in done.stderr
    assert not root.exists()
    assert subprocess.run([scripts / "uninstall", "--root", root], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--with", "nvidea"], "no such extra; allowed: "),
        (["--wheel", "/nowhere/sitewatch-1.0-py3-none-any.whl"], "allowed: a file sitewatch-VERSION"),
        (["--board", "toaster"], "no such drop-in"),
    ],
)
def test_a_wrong_wish_is_told_at_once(tmp_path: Path, words: list[str], sentence: str) -> None:
    """One sentence, status 69, and nothing done."""
    script = Path(__file__).resolve().parents[3] / "scripts" / "install"
    done = subprocess.run(
        [script, "--root", tmp_path / "root", *words], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 69
    assert sentence in done.stderr
    assert not (tmp_path / "root").exists()
