"""The service manager, spoken to through systemctl; or none, where a box is only staged or has no systemd."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent.clock import Clock
from agent.install.hands import Hands
from agent.install.layout import SYSUSERS, TMPFILES, UDEV_RULES, Layout

ALL = "sitewatch@*.service"
POLL_S = 0.5
# Ready and gone again at once is not ready.
STEADY_S = 5.0
PROPERTIES = ("ActiveState", "SubState", "InvocationID", "Job")


class State(NamedTuple):
    """What systemd says of a unit.

    Attributes:
        active: "active", "activating", "failed" and so on.
        sub: the same in more detail.
        run: tells one start of it from the next.
        job: number of what is still to be done with it, or "".
    """

    active: str
    sub: str
    run: str
    job: str

    @property
    def is_ready(self) -> bool:
        """Whether it said READY and runs."""
        return self.active in {"active", "reloading"}

    @property
    def has_failed(self) -> bool:
        """Whether it ended, or waits to be tried again by itself."""
        return not self.job and (self.active in {"failed", "inactive"} or self.sub == "auto-restart")

    def __str__(self) -> str:
        return f"{self.active} ({self.sub})"


class Manager:
    """systemd of this box."""

    def __init__(self, hands: Hands, layout: Layout, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._hands = hands
        self._layout = layout
        self._clock = clock
        self._sleep = sleep

    def version(self) -> int:
        """Of systemd; 0 where it does not tell."""
        _, said = self._hands.ask("systemctl", "--version")
        found = re.match(r"systemd (\d+)", said)
        return int(found[1]) if found else 0

    def make_user_and_folders(self) -> None:
        """Make the user, and the folders with their owners."""
        self._hands.run("systemd-sysusers", self._layout.real(SYSUSERS))
        self._hands.run("systemd-tmpfiles", "--create", self._layout.real(TMPFILES))

    def read_anew(self) -> None:
        """Let it read the units, and udev its rules, as they are now."""
        self._hands.run("systemctl", "daemon-reload")
        if any(self._layout.real(UDEV_RULES).glob("60-sitewatch-*.rules")) and not self._hands.dry_run:
            for words in (("control", "--reload"), ("trigger", "--subsystem-match=accel", "--subsystem-match=usb")):
                self._hands.ask("udevadm", *words)

    def instances(self) -> tuple[str, ...]:
        """Units that are up or on their way."""
        _, said = self._hands.ask("systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", ALL)
        rows = [line.split() for line in said.splitlines() if line.startswith("sitewatch@")]
        return tuple(row[0] for row in rows if len(row) > 2 and row[2] in {"active", "activating", "reloading"})

    def enabled(self) -> tuple[str, ...]:
        """Units that start at boot."""
        _, said = self._hands.ask("systemctl", "list-unit-files", "--no-legend", "--no-pager", "--state=enabled", ALL)
        return tuple(line.split()[0] for line in said.splitlines() if line.startswith("sitewatch@"))

    def state(self, unit: str) -> State:
        """What it says of a unit now."""
        _, said = self._hands.ask("systemctl", "show", f"--property={','.join(PROPERTIES)}", unit)
        told = dict(line.partition("=")[::2] for line in said.splitlines())
        active, sub, run, job = (told.get(name, "") for name in PROPERTIES)
        return State(active, sub, run, job if job != "0" else "")

    def restart(self, units: Sequence[str], within_s: float) -> dict[str, str]:
        """Restart, wait until each is ready or has failed; those that are not ready, and why."""
        if not units:
            return {}
        runs_before = {unit: self.state(unit).run for unit in units}
        self._hands.run("systemctl", "reset-failed", *units)
        self._hands.run("systemctl", "restart", "--no-block", *units)
        if self._hands.dry_run:
            return {}
        deadline_s = self._clock.monotonic_s() + within_s
        waited = {unit: self._why_not_ready(unit, runs_before[unit], deadline_s) for unit in units}
        self._sleep(STEADY_S)
        for unit, why in waited.items():
            if not why and not (state := self.state(unit)).is_ready:
                waited[unit] = f"was ready, and is {state} {STEADY_S:g} s later"
        return {unit: why for unit, why in waited.items() if why}

    def stop(self, units: Sequence[str]) -> None:
        """Stop, and wait until they have."""
        if units:
            self._hands.run("systemctl", "stop", *units)

    def disable(self, units: Sequence[str]) -> None:
        """Start them at boot no more."""
        if units:
            self._hands.run("systemctl", "disable", *units)

    def _why_not_ready(self, unit: str, run_before: str, deadline_s: float) -> str:
        while True:
            state = self.state(unit)
            # Right after `restart --no-block` it is still the old process that is ready.
            if state.is_ready and state.run != run_before and not state.job:
                return ""
            if state.has_failed:
                return f"is {state}"
            if self._clock.monotonic_s() >= deadline_s:
                return f"is still {state}"
            self._sleep(POLL_S)
