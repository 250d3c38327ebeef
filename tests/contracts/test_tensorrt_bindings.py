"""The fake TensorRT, over which the adapter is tested, has no name that NVIDIA's real bindings of that version lack."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import tensorrt_fake
from fakes.tensorrt_bindings import Unreachable, bindings, pins, run_with
from fakes.tensorrt_names import ENUMERATIONS, ONLY_IN, SINCE_10, VERSIONS, WEAK, is_absent

SCRIPT = Path(__file__).with_name("tensorrt_seen.py")
HERE = [version for version in VERSIONS if version in pins()]

pytestmark = [
    pytest.mark.tensorrt_bindings,
    pytest.mark.skipif(sys.platform != "linux", reason="tensorrt_bindings: NVIDIA's wheels are for Linux"),
]


def fake_names() -> dict[str, list[str]]:
    """Every public name of every class of the fake, whatever the version."""
    return {
        cls.__name__: ["__init__", *(name for name in vars(cls) if not name.startswith("_"))]
        for cls in tensorrt_fake.CLASSES
    }


@pytest.fixture(scope="module", params=HERE)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    kept = getattr(request.config, "cache", None)  # pytest's own folder, where it has one
    cache = kept.mkdir("tensorrt-bindings") if kept else tmp_path_factory.getbasetemp() / "tensorrt-bindings"
    try:
        folder = bindings(request.param, cache)
    except Unreachable as error:
        pytest.skip(f"tensorrt_bindings: {error}")
    found: dict[str, Any] = run_with(folder, SCRIPT, json.dumps(fake_names()))
    assert found["version"] in (request.param, request.param.rpartition(".")[0])
    return {**found, "version": request.param}


def test_every_class_and_name_is_real(seen: dict[str, Any]) -> None:
    """What the fake of a version has, the bindings have; what it lacks by version, they lack too."""
    wrong = []
    for cls, names in fake_names().items():
        real = seen["classes"][cls]
        if (real is None) != is_absent(seen["version"], cls, None):
            wrong.append(cls)
        there = names if real is not None else []
        wrong += [f"{cls}.{name}" for name in there if (real[name] is None) != is_absent(seen["version"], cls, name)]

    assert not wrong


def test_every_member_is_real(seen: dict[str, Any]) -> None:
    """Members of enumerations are there in the versions the fake says, and only there."""
    wrong = [
        f"{name}.{member}"
        for name, members in ENUMERATIONS.items()
        for member, versions in members.items()
        if (member in seen["members"][name]) != (seen["version"] in versions)
    ]

    assert not wrong


def test_every_method_takes_what_the_fake_takes(seen: dict[str, Any]) -> None:
    """The parameters' names and order are those of the bindings' own signatures, where they print one."""
    wrong, checked = [], 0
    for cls in tensorrt_fake.CLASSES:
        for name, documentation in (seen["classes"][cls.__name__] or {}).items():
            real = real_parameters(name, documentation)
            if real is None or name not in vars(cls) or not inspect.isfunction(vars(cls)[name]):
                continue
            checked += 1
            fake = [each for each in inspect.signature(vars(cls)[name]).parameters if each != "self"]
            required = [each for each in real[len(fake) :] if not each.endswith("=")]
            if required or fake != [each.rstrip("=") for each in real[: len(fake)]]:
                wrong.append(f"{cls.__name__}.{name}: {fake}, really {real}")

    assert not wrong
    assert checked > 25


def real_parameters(name: str, documentation: str | None) -> list[str] | None:
    """From "parse(self: ..., model: buffer, path: str = None) -> bool": "model", "path="."""
    found = re.search(rf"^\s*(?:\d\. )?{name}\(self: [\w.]+(?:, )?(.*)\) -> ", documentation or "", re.MULTILINE)
    if found is None:
        return None
    flat = re.sub(r"\[[^\[\]]*\]", "", re.sub(r"\[[^\[\]]*\]", "", found[1]))
    return [part.split(":")[0].strip() + "=" * ("=" in part) for part in flat.split(",") if ":" in part]


def test_a_run_time_that_does_not_start(seen: dict[str, Any]) -> None:
    """The bindings' TypeError becomes a sentence with the logger's lines; the logger is one of theirs."""
    sentence, parent = seen["adapter"]["runtime"]

    assert sentence == "TensorRT does not start: CUDA initialization failure"
    assert parent == "ILogger"


def test_progress_and_calibration(seen: dict[str, Any]) -> None:
    """Monitor and calibrator can be made of the real parents, exactly where these exist."""
    monitor = [["Building", 0.0], ["Building", 0.5], True, ["Building", 1.0]]

    assert seen["adapter"]["monitor"] == (monitor if seen["version"] in SINCE_10 else [])
    assert seen["adapter"]["calibrator"] == ([2, 1, None, True] if seen["version"] in WEAK else None)


def test_precision_by_what_is_there(seen: dict[str, Any]) -> None:
    """Flags and calibrator where they exist, the model's own types elsewhere."""
    weak, strong = seen["version"] in WEAK, seen["version"] in SINCE_10

    assert seen["plans"]["fp16 of fp32"] == (
        ["fp16", False, ["FP16"], None, False] if weak else ["fp16", True, [], "fp16", False]
    )
    assert seen["plans"]["int8 of fp32"] == (
        ["int8", False, ["INT8", "FP16"], None, True] if weak else ["int8", True, [], "int8", False]
    )
    assert seen["plans"]["int8 of int8"][1] is strong
    assert seen["plans"]["fp32 of fp32"][:2] == ["fp32", not weak]
    assert seen["profiles"] == [1, weak]


def test_element_types(seen: dict[str, Any]) -> None:
    """Those NumPy has are found by name; BF16, FP8 and smaller ones are refused."""
    known = {name: dtype for name, dtype in seen["dtypes"].items() if dtype}

    assert known == {
        "FLOAT": "float32",
        "HALF": "float16",
        "INT8": "int8",
        "INT32": "int32",
        "BOOL": "bool",
        "UINT8": "uint8",
        **({"INT64": "int64"} if seen["version"] in SINCE_10 else {}),
    }


def test_the_table_of_versions_is_used() -> None:
    """Every class in the table of differences is one of the fake's."""
    assert set(ONLY_IN) <= set(fake_names())
