"""Tracks over restarts in good order, late ones and violent ones, as the outside sees them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.events import metric
from fakes.kept_runs import PATIENCE_S, KeptRun, World

from agent.events.event import EventKind

NEW, UPDATE, END = EventKind.NEW, EventKind.UPDATE, EventKind.END


def lives(world: World) -> dict[str, list[EventKind]]:
    """The kinds of each object's events, in order."""
    found: dict[str, list[EventKind]] = {}
    for name, event in zip(world.ids, world.told, strict=True):
        found.setdefault(name, []).append(event.kind)
    return found


def two_people(world: World) -> KeptRun:
    """A run that has told of two people, 1 and 2, and had a third that is over."""
    run = KeptRun(world)
    for _ in range(4):
        run.see(100, 300, 500)
    for _ in range(8):
        run.see(100, 300)
    run.store()
    assert {name[-6:]: life[-1] for name, life in lives(world).items()} == {
        "gate-1": UPDATE, "gate-2": UPDATE, "gate-3": END,
    }  # fmt: skip
    return run


def wait(world: World, seconds: float) -> None:
    world.now += timedelta(seconds=seconds)


def test_over_a_clean_restart_nothing_is_told_and_numbers_stay(tmp_path: Path) -> None:
    """No end, no new; the next person gets the next number; the machine's clock may begin anew."""
    world = World(tmp_path)
    two_people(world).stop()
    before = len(world.told)
    wait(world, 0.3)
    second = KeptRun(world, boot_s=3.0)

    assert len(world.told) == before
    assert second.see(100, 300) == [1, 2]
    assert [second.see(100, 300, 420) for _ in range(3)][-1] == [1, 2, 4]
    second.store()
    assert {name for name in lives(world) if name.startswith(second.run_id)} == {f"{second.run_id}-gate-4"}
    assert lives(world)[f"{second.run_id}-gate-4"] == [NEW]
    assert metric(second.teller, "tracks_taken_over_total", camera="gate") == 2
    second.stop()


def test_a_track_that_goes_on_ends_with_the_time_it_began(tmp_path: Path) -> None:
    """Over two restarts, the second one before any frame came."""
    world = World(tmp_path)
    two_people(world).stop()
    KeptRun(world, boot_s=3.0).stop()
    wait(world, 0.2)
    third = KeptRun(world, boot_s=9.0)
    for _ in range(8):
        third.see(100)
    third.store()
    (end,) = [event for event in world.told if event.kind is END and event.track_id == 2]

    assert end.started_at == world.told[0].started_at
    assert end.ended_at is not None
    assert end.ended_at < end.occurred_at
    assert (end.run_id, end.track_run_id) == (third.run_id, world.told[0].run_id)
    third.stop()


def test_after_a_late_restart_everything_is_ended_at_the_start(tmp_path: Path) -> None:
    """Once each, with the time they were last seen; those in view are new people with ids of their own."""
    world = World(tmp_path)
    two_people(world).stop()
    last_seen, before = world.now - timedelta(seconds=0.02), len(world.told)
    wait(world, PATIENCE_S + 0.1)
    second = KeptRun(world)

    assert [(event.kind, event.track_id, event.ended_at) for event in world.told[before:]] == [
        (END, 1, last_seen), (END, 2, last_seen),
    ]  # fmt: skip
    assert second.see(100) == [1]
    second.see(100)
    second.store()
    assert lives(world)[f"{second.run_id}-gate-1"] == [NEW]
    second.stop()


@pytest.mark.parametrize("change", ["settings", "future", "foreign", "torn", "gone", "camera"])
def test_what_does_not_fit_is_ended_and_never_an_error(tmp_path: Path, change: str) -> None:
    """Whatever stands in the file; every object that was told of gets its end."""
    world = World(tmp_path)
    two_people(world).stop()
    spoil: dict[str, Callable[[Path], object]] = {
        "foreign": lambda path: path.write_text('{"hello": 1}'),
        "torn": lambda path: path.write_text(path.read_text()[:500]),
        "gone": Path.unlink,
        "camera": lambda path: path.write_text(path.read_text().replace('"gate"', '"attic"')),
    }
    if change in spoil:
        spoil[change](tmp_path / "tracks.json")
    wait(world, -5.0 if change == "future" else 0.1)
    second = KeptRun(world, fits="other" if change == "settings" else "same")

    assert [life[-1] for life in lives(world).values()] == [END] * 3
    assert [life.count(END) for life in lives(world).values()] == [1] * 3
    assert metric(second.teller, "tracks_taken_over_total", camera="gate") == 0
    second.stop()


def test_what_cannot_be_written_ends_as_ever(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A stop that leaves nothing behind tells every end, and says why."""
    world = World(tmp_path)
    run = two_people(world)
    (tmp_path / "tracks.json").unlink()
    (tmp_path / "tracks.json").mkdir()
    run.stop()

    assert [life[-1] for life in lives(world).values()] == [END] * 3
    assert "tracks are not kept for the next run" in caplog.text


def test_unknown_numbers_are_skipped_after_a_violent_end(tmp_path: Path) -> None:
    """Whoever came after the last writing is ended; seen again he has a number that nobody had."""
    world = World(tmp_path)
    run = two_people(world)
    for _ in range(3):
        run.see(100, 300, 420)
    run.store()
    run.kill(choose=lambda _: 2)
    second = KeptRun(world)

    assert lives(world)[f"{run.run_id}-gate-4"] == [NEW, END]
    first, _, *others = [second.see(100, 300, 420) for _ in range(3)][-1]
    assert first == 1
    assert min(others) > 1000
    second.stop()


@pytest.mark.parametrize("violent", [False, True])
def test_a_number_nobody_was_told_of_is_kept_only_if_that_is_sure(tmp_path: Path, violent: bool) -> None:  # noqa: FBT001 - pytest's
    """After a violent end it may have been told after the last writing."""
    world = World(tmp_path)
    run = two_people(world)
    for _ in range(2):
        assert run.see(100, 300, 420)[:2] == [1, 2]
    if violent:
        run.clock.advance(1.0)
        run.keeper.turn()
        run.kill()
        wait(world, -1.0)
    else:
        run.stop()

    second = KeptRun(world)
    numbers = second.see(100, 300, 420)
    second.stop()

    assert numbers == [1, 2, 1005 if violent else 4]


def test_the_file_is_bounded_and_small(tmp_path: Path) -> None:
    """Of a thousand people that came and went nothing is left."""
    world = World(tmp_path)
    run = KeptRun(world)
    for number in range(300):
        run.see(number * 97 % 600, (number * 53 + 300) % 600)
    run.stop()

    kept = json.loads((tmp_path / "tracks.json").read_text())
    assert len(json.dumps(kept)) < 20_000


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_every_object_has_one_life(tmp_path: Path, seed: int) -> None:
    """Over runs that stop or are killed at any moment: `new` once and first, `end` once and last, one person an id."""
    chance, world = random.Random(seed), World(tmp_path)
    for _ in range(12):
        run = KeptRun(world, boot_s=chance.uniform(1.0, 1000.0))
        present = {place for place in range(50, 600, 90) if chance.random() < 0.5}
        for _ in range(chance.randrange(1, 40)):
            if chance.random() < 0.2:
                present ^= {chance.choice(range(50, 600, 90))}
            run.see(*(place for place in sorted(present) if chance.random() < 0.9))
            if chance.random() < 0.5:
                run.store(chance.randrange(1, 6))
        if chance.random() < 0.4:
            run.stop()
        else:
            run.kill(chance.randrange)
        wait(world, chance.choice([0.0, 0.2, 0.4, 3.0]))
    wait(world, 10.0)
    KeptRun(world).stop()

    for life in lives(world).values():
        assert life == [NEW, *[UPDATE] * (len(life) - 2), END]
    places: dict[str, set[int]] = {}
    for name, place in world.shown:
        places.setdefault(name, set()).add(round((place - 50) / 90))
    assert all(len(seen) == 1 for seen in places.values())
