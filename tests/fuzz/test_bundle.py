"""Whatever a bundle holds: a changed byte is never loaded, and what was packed with a lie is taken whole or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.effort import effort
from fuzz.memory_folder import memory_folder
from fuzz.mutation import spoilt, spoilt_tree
from hypothesis import given
from hypothesis import strategies as st
from models.bundles import make_bundle, manifest_of, parts_of, with_lie

from agent.app.detection import read_plan
from agent.app.exit_status import exit_code
from agent.errors import ModelError
from agent.models.bundle.bundle import opened
from agent.models.bundle.unpacking import unpack
from agent.settings.models import DetectionSettings, ModelSettings

ZIP_TOKENS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"sha256:", b"../", b"\x93NUMPY", b"\x08\x00")
JSON_TOKENS = (
    b"null",
    b"{}",
    b"[]",
    b"NaN",
    b"1e999",
    b"-1",
    b"[" * 2000,
    b"\\ud800",
    b"9" * 5000,
    b"'shape': (",
    b"|O",
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with memory_folder() as place:
        yield place


@pytest.fixture(scope="module")
def good(folder: Path) -> bytes:
    """A small one with everything in it."""
    return make_bundle(folder / "good.swmodel", licence_text=b"Yours.\n").read_bytes()


def test_the_seed_is_good(folder: Path, good: bytes) -> None:
    """What is spoilt begins as a bundle that is taken."""
    assert _is_taken(folder, good)


def _is_taken(folder: Path, content: bytes) -> bool:
    path = folder / "spoilt.swmodel"
    path.write_bytes(content)
    try:
        unpack(path, None)
    except ModelError as error:
        refusal = error
    else:
        return True
    assert exit_code(refusal) == 78
    assert str(refusal).startswith(f"{path}: ")
    assert "\n" not in str(refusal)
    return False


@effort(300)
@given(data=st.data())
def test_changed_bytes(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Overwritten, put in, taken out, doubled, flipped, cut: never taken."""
    changed = data.draw(spoilt(good, ZIP_TOKENS))

    assert _is_taken(folder, changed) == (changed == good)


@effort(300)
@given(data=st.data())
def test_changed_records(folder: Path, good: bytes, data: st.DataObject) -> None:
    """The same where the archive's directory lies, which no digest covers."""
    directory = good.index(b"PK\x01\x02")
    changed = good[:directory] + data.draw(spoilt(good[directory:], ZIP_TOKENS))

    assert _is_taken(folder, changed) == (changed == good)


@effort(150)
@given(data=st.data())
def test_any_manifest(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Well packed, every digest right, with other things in it."""
    path = folder / "lie.swmodel"
    path.write_bytes(good)
    told = data.draw(spoilt_tree(manifest_of(path)))
    with_lie(path, tell=lambda manifest: (manifest.clear(), manifest.update(told)))
    _is_taken(folder, path.read_bytes())


@effort(100)
@given(data=st.data())
def test_any_part(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Golden pictures and outputs of any bytes, with right digests."""
    path = folder / "lie.swmodel"
    path.write_bytes(good)
    name = data.draw(st.sampled_from(["golden/fp32.json", "golden/0.npy"]))
    with_lie(path, {name: data.draw(spoilt(parts_of(path)[name][:4000], JSON_TOKENS))})
    _is_taken(folder, path.read_bytes())


@effort(100)
@given(data=st.data())
def test_golden_outputs_as_json(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Well written, with other things in them."""
    path = folder / "lie.swmodel"
    path.write_bytes(good)
    found = json.loads(parts_of(path)["golden/fp32.json"])
    content = json.dumps(data.draw(spoilt_tree(found))).encode(errors="replace")
    _is_taken(folder, with_lie(path, {"golden/fp32.json": content}).read_bytes())


@effort(30)
@given(data=st.data())
def test_what_is_told_of_the_model(folder: Path, good: bytes, data: st.DataObject) -> None:
    """Preprocessing and thresholds of any values: a plan, or our own error."""
    path = folder / "lie.swmodel"
    path.write_bytes(good)
    key = data.draw(st.sampled_from(["feed", "thresholds"]))
    told = data.draw(spoilt_tree(manifest_of(path)[key]))
    with_lie(path, tell=lambda manifest: manifest.update({key: told}))
    said = str(path)
    try:
        assert read_plan(ModelSettings(path=path), DetectionSettings()).bundled is not None
    except ModelError as error:
        said = str(error)
    assert str(path) in said


@effort(100)
@given(content=st.binary(max_size=300))
def test_any_bytes(folder: Path, content: bytes) -> None:
    """Noise is no bundle."""
    path = folder / "noise.swmodel"
    path.write_bytes(content)
    with pytest.raises(ModelError), opened(path):
        pass
