"""Whatever lies where an earlier run kept something: it is used whole, or left alone, and nothing raises."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.events import event
from fakes.kept_runs import KeptRun, World
from fuzz.effort import effort
from fuzz.memory_folder import memory_folder
from fuzz.mutation import spoilt, spoilt_tree
from hypothesis import given
from hypothesis import strategies as st

from agent.events.event import EventKind
from agent.publish.open_objects import told_events
from agent.publish.payload import event_payload
from devices.candidates import Candidate
from devices.engines.cache import Built, EngineCache, EngineKey
from devices.inventory import Availability
from devices.kept_choice import ChoiceShelf, KeptChoice
from devices.measurement import Measurement
from devices.selection import Verdict
from devices.trials.exam import Difference

KEY = EngineKey("0" * 64, "openvino", "2026.4.1", "cpu some", None, "fp32", "x", "threads 1")
ENGINE = b"an engine, compiled" * 10
CHOSEN = Verdict(
    Candidate("openvino", CPU.kind, CPU, Availability(usable=True, reason="lists CPU")),
    is_chosen=True, reason="9.8 ms, chosen", runtime_version="2026.4.1", precision="fp32",
    measurement=Measurement(1.0, 0.5, 0.009, 0.0098, 0.02, 7), memory_bytes=1 << 20,
    difference=Difference("7 boxes", is_within=True), outcome="chosen",
)  # fmt: skip
CHOICE = KeptChoice(
    (CHOSEN,), ({"y": np.arange(4, dtype=np.float32)},), datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)
)
JSON_TOKENS = (b"null", b"{}", b"[]", b'"', b",", b":", b"NaN", b"1e999", b"-1", b"[" * 2000, b"\\ud800", b"9" * 5000)
ZIP_TOKENS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x93NUMPY", b"'shape': (", b"|O", b"<f4", b"(9999999999,)")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with memory_folder() as place:
        yield place


@effort(60)
@given(data=st.data())
def test_the_engine_cache(folder: Path, data: st.DataObject) -> None:
    """An engine comes out as it went in, or is built anew."""
    cache = EngineCache(folder / "engines", now_s=lambda: 1.0)
    cache.keep(KEY, ENGINE)
    _spoil_one_of(folder / "engines", data)

    assert cache.find(KEY) in (None, ENGINE)
    ready = cache.ready(KEY, lambda content: content, lambda: Built(b"built", b"built"))
    assert ready.loaded in (b"built", ENGINE)


@effort(100)
@given(data=st.data())
def test_the_kept_choice(folder: Path, data: st.DataObject) -> None:
    """Both of its files may be anything."""
    shelf = ChoiceShelf(folder / "choice")
    shelf.keep("k", CHOICE)
    _spoil_one_of(folder / "choice", data)
    found = shelf.find("k")

    assert found is None or found.chosen.is_chosen


@effort(60)
@given(data=st.data())
def test_the_kept_choice_as_json(folder: Path, data: st.DataObject) -> None:
    """Well written, with other things in it."""
    shelf = ChoiceShelf(folder / "choice")
    shelf.keep("k", CHOICE)
    record = folder / "choice" / "choice-k.json"
    record.write_text(json.dumps(data.draw(spoilt_tree(json.loads(record.read_text())))))
    found = shelf.find("k")

    assert found is None or found.chosen.is_chosen


@pytest.fixture(scope="module")
def world(folder: Path) -> World:
    """A run that has told of two people and ended in good order."""
    first = World(folder / "first")
    first.folder.mkdir()
    run = KeptRun(first)
    for _ in range(8):
        run.see(100, 300)
    run.stop()
    return first


def begin_again(world: World, folder: Path, kept: bytes) -> None:
    """The next run, with this left to it: it works, and every object that was told ends once, now or later."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(world.folder, folder)
    again = copy.deepcopy(world)
    again.folder = folder
    (folder / "tracks.json").write_bytes(kept)
    again.now += timedelta(seconds=0.1)
    run = KeptRun(again)
    for _ in range(3):
        run.see(100, 300)
    for _ in range(8):
        run.see()
    run.stop()
    last = {name: told.kind for name, told in zip(again.ids, again.told, strict=True)}
    assert {last[name] for name in world.ids} == {EventKind.END}


@effort(60)
@given(data=st.data())
def test_kept_tracks(folder: Path, world: World, data: st.DataObject) -> None:
    """Damaged bytes: what cannot be gone on with is ended."""
    good = (world.folder / "tracks.json").read_bytes()
    begin_again(world, folder / "again", data.draw(spoilt(good, JSON_TOKENS)))


@effort(100)
@given(data=st.data())
def test_kept_tracks_as_json(folder: Path, world: World, data: st.DataObject) -> None:
    """Well written, with other things in it, deep inside the tracker too."""
    good = json.loads((world.folder / "tracks.json").read_text())
    begin_again(world, folder / "again", json.dumps(data.draw(spoilt_tree(good))).encode())


@effort(150)
@given(data=st.data())
def test_objects_of_the_outbox(data: st.DataObject) -> None:
    """What was told of an object is read again as it was, or left out."""
    good = json.loads(event_payload(event(7), 7))
    payload = json.dumps(data.draw(spoilt_tree(good))).encode()
    other = event_payload(event(8), 8)

    assert told_events([payload, other])[-1].event_id == event(8).event_id
    assert len(told_events([data.draw(spoilt(other, JSON_TOKENS)), other])) >= 1


def test_the_seeds_are_good(folder: Path, world: World) -> None:
    """What is spoilt begins as something that is used."""
    cache, shelf = EngineCache(folder / "whole"), ChoiceShelf(folder / "whole")
    cache.keep(KEY, ENGINE)
    shelf.keep("k", CHOICE)

    assert cache.find(KEY) == ENGINE
    assert shelf.find("k") is not None
    begin_again(world, folder / "again", (world.folder / "tracks.json").read_bytes())


def _spoil_one_of(folder: Path, data: st.DataObject) -> None:
    files: list[Any] = sorted(path for path in folder.iterdir() if path.suffix != ".lock")
    path = data.draw(st.sampled_from(files))
    path.write_bytes(data.draw(spoilt(path.read_bytes(), (*JSON_TOKENS, *ZIP_TOKENS))))
