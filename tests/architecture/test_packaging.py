"""What an import, an installation and a wheel bring along, and what not."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from architecture.sources import PACKAGES, REPOSITORY, project_files, shown

IMPORT_EVERYTHING = Path(__file__).with_name("import_everything.py")
WELL_KNOWN = {Path(name) for name in ("/", "/tmp", "/home", "/root", "/opt", "/srv", "/usr", "/var", "/usr/local")}
HOMES = re.compile(r"/(?:home|Users)/\w+/|/root/")


def test_imports_do_nothing() -> None:
    """Every module imports without run-times, processes, sockets, threads or files being written."""
    command = [sys.executable, str(IMPORT_EVERYTHING), *PACKAGES]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)

    assert done.returncode == 0, done.stderr[-3000:]
    assert "agent.stream.frame" in done.stdout.split()


@pytest.mark.parametrize("name", PACKAGES)
def test_our_names_are_ours(name: str) -> None:
    """The three bare names resolve in our tree, and no installed distribution brings another of them."""
    package = importlib.import_module(name)
    owners = set(importlib.metadata.packages_distributions().get(name, []))

    assert Path(str(package.__file__)).is_relative_to(REPOSITORY / name)
    assert owners <= {"sitewatch"}


def test_the_wheel_holds_the_three_packages_and_the_licence(tmp_path: Path) -> None:
    """Nothing else is installed on a site: no tests, no site files, no media but the pictures of the engines' exam."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    information = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))

    assert {name.split("/")[0] for name in names} == {*PACKAGES, information}
    assert f"{information}/licenses/LICENSE" in names
    media = [name for name in names if name.endswith((".onnx", ".mp4", ".avi", ".jpg", ".png", ".pyc"))]
    assert all(name.startswith("agent/app/exam_pictures/") for name in media), media


def test_texts_name_no_folder_of_this_machine() -> None:
    """No file of the project names the folder it was written in, or somebody's home."""
    here = [REPOSITORY, *([REPOSITORY.parent] if REPOSITORY.parent not in WELL_KNOWN else [])]
    wrong = []
    for path in project_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found = [str(folder) for folder in here if f"{folder}/" in text] + HOMES.findall(text)
        wrong += [f"{shown(path)}: {name}" for name in found if path != Path(__file__)]

    assert not wrong, "\n".join(wrong)


def test_nothing_large_is_committed() -> None:
    """Models, clips and data sets stay out of the repository; a picture for the README may be in it."""
    wrong = [shown(path) for path in project_files() if path.stat().st_size > 2_000_000]

    assert not wrong, "\n".join(wrong)


SCRIPTS = ("demo", "test", "lock", "record-board", "install", "uninstall", "prove-systemd")


@pytest.mark.parametrize("name", [*(f"scripts/{name}" for name in SCRIPTS), "systemd/launchd/run-site", ".ci/run"])
def test_scripts_can_be_run(name: str) -> None:
    """Each verb is executable and its shell can read it."""
    path = REPOSITORY / name
    shell = "bash" if "bash" in path.read_text(encoding="utf-8").splitlines()[0] else "sh"

    assert os.access(path, os.X_OK)
    subprocess.run([shell, "-n", str(path)], check=True)
