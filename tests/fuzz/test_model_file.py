"""Whatever a model file or its metadata holds: a plan of how to feed it, or our own error; the process lives on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from fuzz.effort import effort
from fuzz.memory_folder import memory_folder
from fuzz.mutation import ODD_VALUES, spoilt
from hypothesis import given
from hypothesis import strategies as st
from models.square_detectors import build_detector

from agent.app.exit_status import exit_code
from agent.detect.detection_plan import plan_model
from agent.detect.labels import names_in, read_labels
from agent.errors import ModelError
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.model_file import read_model
from devices.engines.sniff import foreign_format
from devices.errors import ModelFileError

INPUT_PX = 64
TOKENS = (
    b"Conv", b"Resize", b"Reshape", b"Loop",
    b"If", b"names", b"\x08\x07", b"\x1a\x00", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"images", b"output0", b"location", b"../../etc/passwd", b"ai.onnx.ml", b"\x0a\x02",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with memory_folder() as place:
        yield place


@pytest.fixture(scope="module")
def good(folder: Path) -> bytes:
    """A detector with labels in its metadata."""
    return build_detector("yolov8", folder / "good.onnx", input_size=INPUT_PX, frame_px=(160, 90)).read_bytes()


def test_the_seed_is_good(folder: Path, good: bytes) -> None:
    """What is spoilt begins as a model that is understood."""
    plan = _plan(folder, good)
    assert plan is not None
    assert plan.labels.texts == ("red", "blue")


def _plan(folder: Path, content: bytes) -> Any:
    path = folder / "spoilt.onnx"
    path.write_bytes(content)
    try:
        return plan_model(path, ModelSettings(path=path), DetectionSettings())
    except ModelError as error:
        refusal = error
    assert exit_code(refusal) == 78
    assert str(path) in str(refusal)
    return None


@effort(150)
@given(data=st.data())
def test_what_a_file_says_of_itself(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Read, or refused by name."""
    path = folder / "read.onnx"
    path.write_bytes(data.draw(spoilt(good, TOKENS)))
    said = str(path)
    try:
        read_model(path)
    except ModelFileError as error:
        said = str(error)
    assert str(path) in said


@effort(60)
@given(data=st.data())
def test_a_spoilt_model(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Read, run and recognised, or refused."""
    _plan(folder, data.draw(spoilt(good, TOKENS)))


@effort(60)
@given(
    key=st.sampled_from(("names", "task", "stride", "imgsz", "batch")),
    value=ODD_VALUES,
    how=st.sampled_from((repr, str, json.dumps)),
)
def test_any_metadata(folder: Path, good: bytes, key: str, value: Any, how: Any) -> None:
    """What an exporter noted may be anything."""
    proto = onnx.load_from_string(good)
    pairs = {pair.key: pair.value for pair in proto.metadata_props}
    pairs[key] = how(value).encode(errors="replace").decode()
    onnx.helper.set_model_props(proto, pairs)
    _plan(folder, proto.SerializeToString())


@effort(300)
@given(
    text=st.one_of(
        st.text(max_size=60),
        ODD_VALUES.map(repr),
        spoilt(b"{0: 'red', 1: 'blue'}").map(lambda b: b.decode("latin-1")),
        st.sampled_from(("(" * 5000, "[" * 20_000, "{" * 3000 + "}" * 3000, "9" * 5000, "-" * 9000 + "1")),
    )
)
def test_any_names(text: str) -> None:
    """Labels, or none."""
    names = names_in({"names": text})

    assert names is None or (names and all(isinstance(name, str) for name in names))


@effort(150)
@given(content=st.one_of(st.binary(max_size=200), spoilt(b"red\nblue\n")))
def test_any_labels_file(folder: Path, content: bytes) -> None:
    """Labels that can be printed, or an error that names the file."""
    path = folder / "labels.txt"
    path.write_bytes(content)
    try:
        found = read_labels(path)
    except ModelError as error:
        found = (str(path),) if str(path) in str(error) else ()
    assert found
    assert all(label.isprintable() for label in found)


@effort(150)
@given(head=st.binary(max_size=64))
def test_any_head(head: bytes) -> None:
    """What a file is, is told from any bytes."""
    found = foreign_format(head)

    assert found is None or found
