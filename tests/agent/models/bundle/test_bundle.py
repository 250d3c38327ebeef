"""A bundle is what was packed, every byte of it, or it is refused in one sentence that names it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models.bundles import make_bundle, manifest_of, parts_of, with_lie

from agent.errors import ModelError, OutputError
from agent.models.bundle.arrays import read_array, write_array
from agent.models.bundle.bundle import is_bundle, opened
from agent.models.bundle.fault import FaultError
from agent.models.bundle.unpacking import KEPT_BUNDLES, unpack


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle with everything that one may have."""
    calibration = np.arange(2 * 160 * 160 * 3, dtype=np.uint8).reshape(2, 160, 160, 3)
    path = tmp_path_factory.mktemp("bundle") / "squares.swmodel"
    return make_bundle(path, licence_text=b"Do what you like.\n", calibration=calibration).read_bytes()


@pytest.fixture
def bundle(packed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "squares.swmodel"
    path.write_bytes(packed)
    return path


def test_everything_comes_out(bundle: Path) -> None:
    """Model, labels, thresholds, pictures, what is in them, licence, calibration."""
    with opened(bundle) as found:
        manifest = found.manifest
        assert manifest.name == "squares"
        assert (manifest.feed["family"], manifest.feed["input_size"]) == ("yolov8", "160x160")
        assert manifest.thresholds["score_threshold"] == 0.1
        assert found.read("LICENSE", 100) == b"Do what you like.\n"
        assert found.picture(manifest.pictures[0]).shape == (360, 640, 3)
        (seen,) = found.found(manifest.models[0])
        assert sorted(seen.class_ids.tolist()) == [0, 1]
        assert found.size == bundle.stat().st_size


def test_a_bundle_is_known_by_its_ending_or_by_its_first_part(bundle: Path, tmp_path: Path) -> None:
    """A model, a folder and a missing file are none."""
    other = tmp_path / "x.bundle"
    other.write_bytes(bundle.read_bytes())

    assert is_bundle(other)
    assert is_bundle(tmp_path / "gone.SWMODEL")
    assert not is_bundle(tmp_path / "gone.onnx")
    assert not is_bundle(tmp_path)
    other.write_bytes(parts_of(bundle)["fp32/squares.onnx"])
    assert not is_bundle(other)


def _less(key: str) -> Callable[[Any], object]:
    return lambda manifest: manifest.pop(key)


def _other(key: str, value: Any) -> Callable[[Any], object]:
    return lambda manifest: manifest.update({key: value})


def _deeper(key: str, **values: Any) -> Callable[[Any], object]:
    return lambda manifest: manifest[key].update(values)


LIES: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "another format": (_other("format", "zip"), "manifest.json is of something else than a sitewatch model bundle"),
    "a later version": (_other("version", 2), "it is of version 2 of the format; this release reads version 1"),
    "no name": (_less("name"), "manifest.json: name is not the text it must be"),
    "a name that is a path": (_other("name", "../x"), "manifest.json: name is not the text it must be"),
    "no model": (_other("models", []), "manifest.json must name one model a precision; it names none"),
    "a model twice": (
        lambda m: m.update(models=m["models"] * 2),
        "must name one model a precision; it names fp32, fp32",
    ),
    "no picture": (_other("pictures", []), "names no golden picture, so that nothing could be verified"),
    "a word that means nothing": (_other("extra", 1), "manifest.json: 'extra' means nothing to this release"),
    "a family of its own": (_deeper("feed", family="magic"), "manifest.json: feed holds what a site file may not"),
    "a feed left open": (_deeper("feed", mean=None), "manifest.json: feed leaves something open"),
    "too many keys": (_deeper("feed", path="/etc/passwd"), "manifest.json: feed must have family, input_size"),
    "a threshold beyond 1": (_deeper("thresholds", score_threshold=2), "thresholds holds what a site file may not"),
    "a part without a digest": (lambda m: m["parts"].pop("labels.txt"), "manifest.json has no digest of labels.txt"),
    "a part that is for nothing": (_other("licence", {"expression": "MIT", "text": None}), "what LICENSE is for"),
    "a part that is not there": (
        lambda m: (m["parts"].update(ghost=m["parts"]["LICENSE"]), m["licence"].update(text="ghost"),
                   m["parts"].pop("LICENSE")),
        "ghost is missing",
    ),
    "a wrong digest": (
        lambda m: m["parts"]["labels.txt"].update(sha256="0" * 64),
        "labels.txt is not what was packed (its SHA-256 differs)",
    ),
    "a wrong size": (lambda m: m["parts"]["labels.txt"].update(bytes=3), "labels.txt has 9 bytes, and manifest.json"),
    "two meanings": (_other("labels", "LICENSE"), "manifest.json gives LICENSE two meanings"),
    "no licence": (_deeper("licence", expression=""), "licence: expression is not the text it must be"),
    "a list for an object": (_other("parts", []), "manifest.json: parts must be an object"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_lies_of_the_manifest(name: str, bundle: Path) -> None:
    """Each is refused in a sentence that names the file, though every byte of it is accounted for."""
    tell, told = LIES[name]
    with pytest.raises(ModelError) as caught, opened(with_lie(bundle, tell=tell)):
        pass
    assert str(caught.value).startswith(f"{bundle}: ")
    assert told in str(caught.value)


GOLDEN_LIES = {
    "no JSON": b"nothing",
    "no detections": b'{"pictures": [{"boxes": [[1, 2]], "scores": [0.5], "class_ids": [0]}]}',
    "columns of two lengths": b'{"pictures": [{"boxes": [[1, 2, 3, 4]], "scores": [], "class_ids": [0]}]}',
    "infinite boxes": b'{"pictures": [{"boxes": [[1, 2, 3, 1e999]], "scores": [0.5], "class_ids": [0]}]}',
    "scores that are no number": b'{"pictures": [{"boxes": [[1, 2, 3, 4]], "scores": [NaN], "class_ids": [0]}]}',
    "a class below 0": b'{"pictures": [{"boxes": [[1, 2, 3, 4]], "scores": [0.5], "class_ids": [-1]}]}',
    "too few pictures": b'{"pictures": []}',
    "texts": b'{"pictures": [{"boxes": "x", "scores": "y", "class_ids": "z"}]}',
}


@pytest.mark.parametrize("name", GOLDEN_LIES)
def test_golden_outputs_that_are_none(name: str, bundle: Path) -> None:
    """Told with the part's name."""
    with_lie(bundle, {"golden/fp32.json": GOLDEN_LIES[name]})
    with pytest.raises(ModelError, match=r"squares\.swmodel: golden/fp32\.json"):
        unpack(bundle, None)


def test_golden_pictures_that_are_none(bundle: Path) -> None:
    """Another kind of file, another kind of number, and a shape that claims more than is there."""
    floats = write_array(np.zeros((4, 4, 3), np.uint8)).replace(b"|u1", b"<f4")
    huge = write_array(np.zeros((4, 4, 3), np.uint8)).replace(b"(4, 4, 3)", b"(4, 9, 3)")
    objects = write_array(np.zeros((4, 4, 3), np.uint8)).replace(b"'|u1'", b"'|O' ")
    for content in (b"\x89PNG", floats, huge, objects, write_array(np.zeros((4, 4), np.uint8))):
        with pytest.raises(ModelError, match=r"squares\.swmodel: golden/0\.npy"):
            unpack(with_lie(bundle, {"golden/0.npy": content}), None)


def test_pictures_are_read_as_they_were_written() -> None:
    """Whatever memory they came from; trailing bytes are refused."""
    picture = np.random.default_rng(1).integers(0, 255, (30, 40, 3), np.uint8)[::2, ::-1]

    assert (read_array(write_array(picture), "p", axes=3) == picture).all()
    with pytest.raises(FaultError, match="is no array of BGR pictures"):
        read_array(write_array(picture) + b"x", "p", axes=3)


def test_unpacking_is_under_the_digest_and_only_once(bundle: Path, tmp_path: Path) -> None:
    """What an earlier start left is used; what was spoilt since is put right."""
    folder = tmp_path / "bundles"
    first = unpack(bundle, folder)
    before = first.model.stat().st_ino
    assert first.folder == folder / first.sha256
    assert unpack(bundle, folder).model.stat().st_ino == before

    first.model.write_bytes(b"spoilt")
    first.labels.unlink()
    again = unpack(bundle, folder)
    assert again.model.read_bytes() == parts_of(bundle)["fp32/squares.onnx"]
    assert again.labels.read_text() == "red\nblue\n"
    files = sorted(str(path.relative_to(again.folder)) for path in again.folder.rglob("*") if path.is_file())
    assert files == ["calibration.npy", "fp32/squares.onnx", "labels.txt"]


def test_old_bundles_go(bundle: Path, tmp_path: Path) -> None:
    """The last ones stay, and everything that is none of ours."""
    folder = tmp_path / "bundles"
    (folder / "notes").mkdir(parents=True)
    for number in range(KEPT_BUNDLES + 2):
        (folder / f"{number:064d}").mkdir()
        os.utime(folder / f"{number:064d}", (number, number))
    unpacked = unpack(bundle, folder)

    left = {path.name for path in folder.iterdir()}
    assert left == {"notes", unpacked.sha256, f"{KEPT_BUNDLES + 1:064d}", f"{KEPT_BUNDLES:064d}"}


def test_a_temporary_folder_goes_with_what_was_unpacked(bundle: Path) -> None:
    """Nobody has to close anything."""
    unpacked = unpack(bundle, None)
    folder = unpacked.folder
    assert unpacked.model.is_file()
    del unpacked
    assert not folder.exists()


def test_a_folder_that_cannot_be_written(bundle: Path, tmp_path: Path) -> None:
    """Told as what it is: the state folder's fault, not the bundle's."""
    (tmp_path / "bundles").write_text("a file")
    with pytest.raises(OutputError, match=r"squares\.swmodel cannot be unpacked into .*bundles"):
        unpack(bundle, tmp_path / "bundles")


@pytest.mark.mounts
def test_a_full_disk(bundle: Path, tmp_path: Path) -> None:
    """Nothing half written is left, and no earlier file is lost."""
    from servers.small_disk import SmallDisk  # noqa: PLC0415 - needs the right to mount

    with SmallDisk(tmp_path / "disk", 1) as disk:
        disk.fill()
        with pytest.raises(OutputError, match="No space left on device"):
            unpack(bundle, disk.folder / "bundles")
        assert [path for path in disk.folder.rglob("*") if path.is_file()] == [disk.folder / "filler"]


def test_a_missing_bundle(tmp_path: Path) -> None:
    """And one that is a folder."""
    with (
        pytest.raises(ModelError, match=r"gone\.swmodel: cannot be read: No such file"),
        opened(tmp_path / "gone.swmodel"),
    ):
        pass
    with pytest.raises(ModelError, match="cannot be read: Is a directory"), opened(tmp_path):
        pass


def test_the_manifest_can_be_read_by_a_person(bundle: Path) -> None:
    """It names what packed it; and what is unpacked can be read by its owner alone."""
    assert set(manifest_of(bundle)["packed_with"]) == {"onnxruntime"}
    assert stat.S_IMODE(unpack(bundle, None).folder.stat().st_mode) == 0o700
