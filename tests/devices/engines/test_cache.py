"""Engines kept on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.tiny_onnx import doubled

from devices.engines.cache import EngineCache, EngineKey
from devices.engines.engine import Engine, EngineRequest
from devices.engines.openvino import engine as openvino_engine

KEY = EngineKey("0" * 64, "openvino", "2026.4.1", "cpu some", None, "fp32", "x", "threads 1")


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    """An engine comes back under its key, and under no other."""
    cache = EngineCache(tmp_path / "new" / "folder")
    cache.keep(KEY, b"engine")

    assert cache.find(KEY) == b"engine"
    assert cache.find(replace(KEY, runtime_version="2026.4.2")) is None
    assert cache.find(replace(KEY, driver="1.0")) is None


@pytest.mark.parametrize("content", [b"", b"eng", b"enginf", b"engine and more"])
def test_a_damaged_engine_is_not_found(tmp_path: Path, content: bytes) -> None:
    """A file that is not bit for bit what was kept is as good as none; keeping it anew mends it."""
    cache = EngineCache(tmp_path)
    cache.keep(KEY, b"engine")
    (tmp_path / f"{KEY.digest}.engine").write_bytes(content)

    assert cache.find(KEY) is None
    cache.keep(KEY, b"engine")
    assert cache.find(KEY) == b"engine"


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b"null"])
def test_a_damaged_record_is_not_believed(tmp_path: Path, content: bytes) -> None:
    """Without a whole record there is no engine."""
    cache = EngineCache(tmp_path)
    cache.keep(KEY, b"engine")
    (tmp_path / f"{KEY.digest}.json").write_bytes(content)

    assert cache.find(KEY) is None


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """After keeping twice there are the engine and its record, and no temporary file."""
    cache = EngineCache(tmp_path)
    cache.keep(KEY, b"engine")
    cache.keep(KEY, b"engine")

    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".engine", ".json"]


def load(folder: Path, cache_dir: Path, threads: int = 1) -> Engine:
    path = doubled().write(folder)
    return openvino_engine.load(EngineRequest(path, CPU, threads=threads, cache_dir=cache_dir))


def answers(engine: Engine) -> bool:
    got = engine.session().infer({"x": np.ones((1, 3, 4, 5), np.float32)})
    return bool((got["y"] == 3.0).all())


def test_openvino_takes_its_engine_from_the_cache(tmp_path: Path) -> None:
    """The second load is taken from the cache, computes the same and has the same spec; other threads compile anew."""
    first, second = (load(tmp_path, tmp_path / "cache") for _ in range(2))

    assert first.spec.notes == ("kept in the engine cache",)
    assert second.spec.notes == ("taken from the engine cache",)
    assert replace(first.spec, notes=()) == replace(second.spec, notes=())
    assert answers(first)
    assert answers(second)
    assert load(tmp_path, tmp_path / "cache", threads=2).spec.notes == ("kept in the engine cache",)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign"])
def test_openvino_compiles_anew_when_its_engine_is_damaged(
    tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A truncated, altered or foreign file is compiled over, in silence, and never answers nonsense."""
    load(tmp_path, tmp_path / "cache").close()
    (kept,) = (tmp_path / "cache" / "openvino").glob("*.engine")
    content = kept.read_bytes()
    middle = len(content) // 2
    kept.write_bytes(
        {
            "truncated": content[:middle],
            "flipped": content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :],
            "foreign": b"another engine",
        }[damage]
    )

    engine = load(tmp_path, tmp_path / "cache")

    assert engine.spec.notes == ("kept in the engine cache",)
    assert answers(engine)
    assert capfd.readouterr().err == ""


def test_openvino_compiles_anew_when_it_refuses_a_whole_engine(tmp_path: Path) -> None:
    """An engine that is whole but not for this OpenVINO is compiled over."""
    load(tmp_path, tmp_path / "cache").close()
    (record,) = (tmp_path / "cache" / "openvino").glob("*.json")
    key = EngineKey(**json.loads(record.read_text())["key"])
    EngineCache(tmp_path / "cache" / "openvino").keep(key, b"whole and foreign")

    engine = load(tmp_path, tmp_path / "cache")

    assert engine.spec.notes == ("kept in the engine cache",)
    assert answers(engine)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The engine works all the same; its spec says that it could not be kept."""
    (tmp_path / "cache").write_text("a file where a folder should be")

    engine = load(tmp_path, tmp_path / "cache")

    assert "not kept in the engine cache" in engine.spec.notes[0]
    assert answers(engine)
