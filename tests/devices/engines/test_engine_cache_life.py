"""Engines built once, kept within limits, and replaced only by better ones."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from devices.engines.cache import Built, EngineCache, EngineKey
from devices.errors import EngineLoadError

KEY = EngineKey("0" * 64, "tensorrt", "10.3.0", "nvidia_gpu Orin", "540.4", "fp16", "x", "image")


class Factory:
    """Builds and loads engines that are texts; counts how often."""

    def __init__(self, content: bytes = b"engine", error: Exception | None = None) -> None:
        self.content = content
        self.error = error
        self.builds = 0

    def build(self) -> Built[bytes]:
        self.builds += 1
        if self.error is not None:
            raise self.error
        return Built(self.content, self.content, log="fused 3 layers")

    @staticmethod
    def load(content: bytes) -> bytes | None:
        return None if content.startswith(b"foreign") else content


class Wall:
    """A clock that goes on by a minute whenever it is read."""

    def __init__(self) -> None:
        self.now_s = 1e9

    def __call__(self) -> float:
        self.now_s += 60.0
        return self.now_s


def test_it_is_built_once(tmp_path: Path) -> None:
    """The second time it comes from disk, by its own words."""
    factory, cache = Factory(), EngineCache(tmp_path)

    notes = [cache.ready(KEY, factory.load, factory.build).note for _ in range(2)]

    assert notes == ["kept in the engine cache", "taken from the engine cache"]
    assert factory.builds == 1


def test_the_record_tells_everything(tmp_path: Path) -> None:
    """Beside the engine lie its whole key and what the run-time told while building."""
    factory = Factory()
    EngineCache(tmp_path).ready(KEY, factory.load, factory.build)

    record = json.loads((tmp_path / f"{KEY.digest}.json").read_text())

    assert EngineKey(**record["key"]) == KEY
    assert record["log"] == "fused 3 layers"
    assert record["built_at"] > 1e9


def test_two_agents_do_not_build_twice(tmp_path: Path) -> None:
    """The second waits for the first and takes what it built."""
    factory, may_end, notes = Factory(), threading.Event(), []
    building = threading.Event()

    def slow() -> Built[bytes]:
        building.set()
        assert may_end.wait(10.0)
        return factory.build()

    def ask(build: object) -> None:
        notes.append(EngineCache(tmp_path).ready(KEY, factory.load, build).note)

    first = threading.Thread(target=ask, args=(slow,))
    first.start()
    assert building.wait(10.0)
    second = threading.Thread(target=ask, args=(factory.build,))
    second.start()
    may_end.set()
    for thread in (first, second):
        thread.join(10.0)

    assert sorted(notes) == ["kept in the engine cache", "taken from the engine cache"]
    assert factory.builds == 1


def test_the_oldest_unused_goes_first(tmp_path: Path) -> None:
    """Beyond the limit those unused for longest are removed, records too; the one just built never is."""
    cache = EngineCache(tmp_path, max_bytes=25, now_s=Wall())
    keys = [replace(KEY, model_sha256=letter * 64) for letter in "abc"]
    for key in keys[:2]:
        cache.keep(key, b"0123456789")
    assert cache.find(keys[0])  # used after the second was kept

    cache.keep(keys[2], b"0123456789")

    assert [cache.find(key) is not None for key in keys] == [True, False, True]
    assert len(list(tmp_path.glob("*.json"))) == 2
    cache.keep(KEY, b"x" * 100)
    assert cache.find(KEY) is not None
    assert [cache.find(key) for key in keys] == [None] * 3


def test_a_failed_rebuild_leaves_the_previous_engine(tmp_path: Path) -> None:
    """After an update that cannot build, the engine from before runs on, and says why."""
    before, after = Factory(b"good"), Factory(error=EngineLoadError("out of memory"))
    cache = EngineCache(tmp_path, now_s=Wall())
    cache.ready(replace(KEY, runtime_version="10.2.0"), before.load, before.build)
    cache.ready(KEY, before.load, before.build)
    updated = replace(KEY, runtime_version="10.4.0", driver="550.1")

    ready = cache.ready(updated, after.load, after.build)

    assert ready.loaded == b"good"
    assert ready.note == "an earlier engine is used, as a new one cannot be built: out of memory"


@pytest.mark.parametrize(
    "other", [{"model_sha256": "1" * 64}, {"precision": "int8"}, {"inputs": "y"}, {"options": "rgb"},
              {"accelerator": "nvidia_gpu Xavier"}],
)  # fmt: skip
def test_an_engine_for_something_else_is_no_previous_one(tmp_path: Path, other: dict[str, str]) -> None:
    """Another model, precision, input, colour order or device is never a substitute."""
    before, after = Factory(), Factory(error=EngineLoadError("out of memory"))
    cache = EngineCache(tmp_path)
    cache.ready(replace(KEY, **other), before.load, before.build)

    with pytest.raises(EngineLoadError, match="out of memory"):
        cache.ready(KEY, after.load, after.build)


def test_a_previous_engine_that_does_not_load_is_passed_over(tmp_path: Path) -> None:
    """What the run-time refuses is no help; nor is a damaged one."""
    after = Factory(error=EngineLoadError("out of memory"))
    cache = EngineCache(tmp_path)
    cache.keep(replace(KEY, runtime_version="9"), b"foreign engine")
    cache.keep(replace(KEY, runtime_version="8"), b"damaged")
    (tmp_path / f"{replace(KEY, runtime_version='8').digest}.engine").write_bytes(b"")

    with pytest.raises(EngineLoadError, match="out of memory"):
        cache.ready(KEY, after.load, after.build)
