"""A real release in a staging root: the locked packages with their hashes, our own wheel, and what it does there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALL_S = 600


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scripts/install --root, with a wheel as it would be published."""
    folder = tmp_path_factory.mktemp("staged")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    command = [str(REPOSITORY / "scripts" / "install"), "--root", str(folder / "root"), "--wheel", str(wheel)]
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        [*command, "--board", "none"], env=environment, capture_output=True, text=True, timeout=INSTALL_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "root"


def agent(staged: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The staged release's program; its own command names a path that only the box has."""
    release = staged / (staged / "opt/sitewatch/current").readlink().relative_to("/")
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    command = [str(release / "bin" / "python"), "-I", "-m", "agent", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd="/", check=False)


def test_the_release_works_by_itself(staged: Path, tmp_path: Path) -> None:
    """It runs from another folder, with nothing of the source tree: version, probe, and the check of a site file."""
    assert agent(staged, "version").stdout.startswith("sitewatch ")
    assert "onnxruntime" in agent(staged, "probe").stdout

    site = tmp_path / "site.yaml"
    site.write_text("site: yard\nmodel: motion\nsink: jsonl\ncameras:\n  gate:\n    source: rtsp://192.0.2.1/1\n")
    checked = agent(staged, "check", str(site))
    assert checked.returncode == 0, checked.stderr
    assert agent(staged, "check", str(staged / "etc/sitewatch/nothing.yaml")).returncode == 78


def test_the_example_names_the_schema_where_it_is(staged: Path) -> None:
    """An editor on the box finds it; and the example is the whole of what is in the operator's folder."""
    first = (staged / "etc/sitewatch/example.yaml").read_text(encoding="utf-8").splitlines()[0]
    schema = first.partition("$schema=")[2]

    assert schema == "/opt/sitewatch/current/share/sitewatch/config/site.schema.json"
    release = staged / (staged / "opt/sitewatch/current").readlink().relative_to("/")
    assert (release / "share/sitewatch/config/site.schema.json").is_file()
    assert [path.name for path in (staged / "etc/sitewatch").iterdir()] == ["example.yaml"]


def test_nothing_names_the_staging_root(staged: Path) -> None:
    """What is run on the box is called as the box calls it."""
    release = staged / (staged / "opt/sitewatch/current").readlink().relative_to("/")
    texts = [path for path in (release / "bin").iterdir() if path.is_file() and not path.is_symlink()]

    assert len(texts) > 5
    assert [path.name for path in texts if str(staged).encode() in path.read_bytes()] == []
    assert (
        (release / "bin/sitewatch").read_text(encoding="utf-8").startswith(f"#!/opt/sitewatch/releases/{release.name}/")
    )
