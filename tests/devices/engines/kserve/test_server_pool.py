"""Whose turn it is, and who is left out for how long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from devices.engines.engine import Tensors
from devices.engines.kserve.connection import Sent, ServerFacts, ServerFailure
from devices.engines.kserve.server_pool import FIRST_WAIT_S, LONGEST_WAIT_S, PooledServer, ServerPool
from devices.errors import InferenceError


class Wire:
    """A connection that fails while it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.fault: ServerFailure | None = None
        self.is_open = True

    def facts(self) -> ServerFacts:
        raise NotImplementedError

    def is_ready(self) -> bool:
        return self.fault is None

    def infer(self, _tensors: Sent, _outputs: Sequence[str]) -> Tensors:
        self.calls += 1
        if self.fault is not None:
            raise self.fault
        return {"who": np.array([self.name])}

    def share(self, _region: str, _key: str, _byte_size: int) -> None:
        raise NotImplementedError

    def unshare(self, _region: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.is_open = False


class Bench:
    """Three servers and a clock."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.wires = {name: Wire(name) for name in "abc"}
        self.checks = 0
        servers = [PooledServer(name, wire, lambda wire=wire: self.check(wire)) for name, wire in self.wires.items()]
        self.pool = ServerPool(servers, lambda: self.now_s)

    def check(self, wire: Wire) -> None:
        self.checks += 1
        if wire.fault is not None:
            raise wire.fault

    def ask(self) -> str:
        return str(self.pool.infer({}, ())["who"][0])

    def break_all(self, *names: str) -> None:
        for name in names:
            self.wires[name].fault = ServerFailure(f"{name}: gone", is_servers_fault=True)


def test_they_take_turns() -> None:
    """Each serves as often as the others."""
    bench = Bench()

    assert sorted(bench.ask() for _ in range(6)) == ["a", "a", "b", "b", "c", "c"]


def test_one_that_fails_is_left_out() -> None:
    """No inference is lost, and the broken one is asked once only until its time comes."""
    bench = Bench()
    bench.break_all("b")

    assert {bench.ask() for _ in range(9)} == {"a", "c"}
    assert bench.wires["b"].calls == 1
    assert bench.pool.well() == ("a", "c")


def test_one_that_is_well_again_comes_back() -> None:
    """After its wait it is looked at, then serves again."""
    bench = Bench()
    bench.break_all("b")
    for _ in range(3):
        bench.ask()
    bench.wires["b"].fault = None

    bench.now_s += FIRST_WAIT_S

    assert bench.ask() == "b"
    assert bench.checks == 1
    assert bench.pool.well() == ("a", "b", "c")


def test_waits_grow_to_a_limit() -> None:
    """Each failure doubles the wait, up to half a minute."""
    bench = Bench()
    bench.break_all("a", "b", "c")
    waits = []
    for _ in range(12):
        with pytest.raises(InferenceError, match="no server can be used now: a: gone; b: gone; c: gone"):
            bench.ask()
        server = bench.pool._servers[0]
        waits.append(server.retry_at_s - bench.now_s)
        bench.now_s += LONGEST_WAIT_S

    assert waits[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S


def test_a_refused_inference_costs_nobody_his_turn() -> None:
    """What the model refuses, another server would refuse too."""
    bench = Bench()
    for wire in bench.wires.values():
        wire.fault = ServerFailure("wrong shape", is_servers_fault=False)

    with pytest.raises(InferenceError, match="inference failed: wrong shape"):
        bench.ask()

    assert sum(wire.calls for wire in bench.wires.values()) == 1
    assert len(bench.pool.well()) == 3


def test_all_are_closed() -> None:
    """Closing closes every connection."""
    bench = Bench()

    bench.pool.close()

    assert not any(wire.is_open for wire in bench.wires.values())
