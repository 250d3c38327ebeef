"""Which pins a release gets, above all on a Jetson; and that the installer needs nothing that they bring."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import InstallError
from agent.install.locks import SITE_EXTRAS, for_jetson, locks

REPOSITORY = Path(__file__).resolve().parents[3]
REQUIREMENTS = REPOSITORY / "requirements"
IMPORT = """
import sys
before = set(sys.modules)
sys.path.insert(0, {root!r})
import agent.install.__main__
from importlib.machinery import PathFinder
foreign = {{name.split(".")[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names) - {{"agent"}}
assert not foreign, foreign
"""


def names(text: str) -> set[str]:
    """What a lock pins."""
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE))


def test_a_lock_an_extra() -> None:
    """Without extras the smallest lock; locks that are none are refused, with those that are."""
    assert [path.name for path in locks(REQUIREMENTS, [])] == ["base.lock"]
    assert [path.name for path in locks(REQUIREMENTS, ["intel", "demo", "intel"])] == ["intel.lock", "demo.lock"]
    with pytest.raises(InstallError, match=r"--with test: no such extra; allowed: apple, .*intel, nvidia"):
        locks(REQUIREMENTS, ["test"])


def test_every_extra_is_one() -> None:
    """Each has a lock, and is an extra of the package."""
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")

    for extra in SITE_EXTRAS:
        assert (REQUIREMENTS / f"{extra}.lock").is_file()
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE)


@pytest.mark.parametrize("name", ["base", "nvidia"])
def test_a_jetson_keeps_what_jetpack_brings(name: str) -> None:
    """No second OpenCV or TensorRT hides JetPack's, NumPy is the one they were built for, all else is as before."""
    lock = (REQUIREMENTS / f"{name}.lock").read_text(encoding="utf-8")
    found = for_jetson(lock, (REQUIREMENTS / "jetson.txt").read_text(encoding="utf-8"))
    gone = names(lock) - names(found)

    assert gone == {each for each in names(lock) if each.startswith(("opencv-python", "tensorrt"))}
    assert re.findall(r"^numpy==(\S+)", found, re.MULTILINE) == ["1.26.4"]
    assert found.count("\nnumpy==1.26.4 \\\n    --hash=sha256:") == 1
    assert "onnxruntime" in names(found)


def test_the_installer_runs_before_anything_is_installed() -> None:
    """It imports nothing but the standard library and plain modules of ours."""
    code = IMPORT.format(root=str(REPOSITORY))
    done = subprocess.run([sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
