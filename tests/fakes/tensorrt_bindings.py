"""NVIDIA's real Python bindings over stub libraries: every name can be seen, nothing can be computed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
PINS = REPOSITORY / "requirements" / "tensorrt-bindings.txt"
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser", "nvparsers")
# All that the bindings take from the libraries, from 8.6 to 11.
SYMBOLS = (
    "createInferBuilder_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "getBuilderPluginRegistry",
    "initLibNvInferPlugins",
    "_ZN11nvuffparser15createUffParserEv",
    "_ZN11nvuffparser8FieldMapC1EPKcPKvNS_9FieldTypeEi",
    "_ZN14nvcaffeparser117createCaffeParserEv",
    "_ZN14nvcaffeparser123shutdownProtobufLibraryEv",
)


class Unreachable(Exception):  # noqa: N818 - it says what is so
    """The package index does not answer."""


def pins() -> dict[str, str]:
    """Version to its line in the lock, for this Python."""
    entries = re.findall(r"^([a-z].*?)(?=^\S|\Z)", PINS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found = {}
    for entry in entries:
        requirement = Requirement(re.sub(r"\\|--hash=\S+", "", entry).strip())
        if requirement.marker is None or requirement.marker.evaluate():
            found[next(iter(requirement.specifier)).version] = entry
    return found


def bindings(version: str, cache: Path) -> Path:
    """A folder with the bindings of a version, fetched by hash once, and stub libraries beside them.

    Raises:
        Unreachable: they cannot be fetched.
    """
    folder = cache / f"{version}-{sys.version_info.major}{sys.version_info.minor}"
    if not (folder / "libraries").is_dir():
        wheel = _fetched(version, cache / "wheels" / version)
        zipfile.ZipFile(wheel).extractall(folder)
        _stub_libraries(folder / "stubs", version.split(".", maxsplit=1)[0])
        (folder / "stubs").rename(folder / "libraries")
    return folder


def run_with(folder: Path, script: Path, *arguments: str) -> Any:
    """What a script prints as JSON, in an interpreter where `import tensorrt_bindings` finds these."""
    paths = os.pathsep.join(str(path) for path in (folder, REPOSITORY, REPOSITORY / "tests"))
    surroundings = {**os.environ, "LD_LIBRARY_PATH": str(folder / "libraries"), "PYTHONPATH": paths}
    command = [sys.executable, "-W", "ignore", str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=surroundings)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def _fetched(version: str, target: Path) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    lock = target / "lock.txt"
    lock.write_text(pins()[version], encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--require-hashes", "-r", str(lock), "-d", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise Unreachable(f"TensorRT {version}'s bindings cannot be fetched: {done.stderr.strip()[-300:]}")
    return next(target.glob("*.whl"))


def _stub_libraries(folder: Path, major: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "stub.c"
    source.write_text("\n".join(f"void *{name}(void) {{ return 0; }}" for name in SYMBOLS), encoding="utf-8")
    for name in LIBRARIES:
        soname = f"lib{name}.so.{major}"
        command = ["gcc", "-shared", "-fPIC", "-o", str(folder / soname), str(source), f"-Wl,-soname,{soname}"]
        subprocess.run(command, check=True, timeout=60)
