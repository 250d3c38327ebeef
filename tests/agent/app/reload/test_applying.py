"""Changes applied to a running line of clips and a fake detector, and undone where a part of them fails."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clips.rendered import render_clip
from fakes.detector import FakeDetector
from prometheus_client import CollectorRegistry

from agent.app.detection import Detection
from agent.app.happened import make_happened
from agent.app.line import Line
from agent.app.outgoing import make_outgoing
from agent.app.reload.applying import apply
from agent.app.reload.difference import difference
from agent.app.reload.exchangeable_outgoing import ExchangeableOutgoing
from agent.app.reload.reading import NewSite
from agent.app.reload.running_site import RunningSite
from agent.app.status_board import Identity, StatusBoard
from agent.clock import SystemClock
from agent.pipeline.channel import no_beat
from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.pipeline.stage import Stage
from agent.pipeline.supervisor import Outcome, Supervisor
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload
from agent.publish.publisher import Publisher
from agent.settings.models import SiteSettings
from agent.telemetry.log import Log
from agent.telemetry.masking import Mask
from devices.errors import EngineUnavailable

DEADLINE_S = 10.0
CLOCK = SystemClock()


class Place:
    """A line of two clips that runs in a thread beside the test, with everything that a reload touches."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.folder = folder
        self.detectors: list[FakeDetector] = []
        self.made: list[str] = []
        self.heartbeats = Heartbeats()
        site = self.site()
        happened = make_happened(CollectorRegistry(), CLOCK)
        detection = self.detection("fake")
        board = StatusBoard(Identity("home", "0", "run", "digest"), list(site.cameras), CLOCK)
        self.outbox = Outbox(folder / "outbox", OutboxLimits(10**7, 100.0), CLOCK, happened.publish, event_payload)
        line = Line(site, detection, (), lambda _: None, clock=CLOCK, happened=happened, rng=None)

        def outgoing(of: SiteSettings) -> Any:
            self.made.append(Path(of.events_file).name)
            return make_outgoing(of, board, CLOCK, happened, {})

        out = ExchangeableOutgoing(outgoing, site)
        publisher = Publisher(self.outbox, out, CLOCK, happened.publish)
        self.supervisor = Supervisor(line.ranks(), happened.pipeline, self.heartbeats, stop_within_s=DEADLINE_S)
        self.running = RunningSite(
            site, detection, line, self.supervisor.changes, out, publisher, self.outbox, board, happened, log,
            lambda _site, _labels: {},
        )  # fmt: skip
        self._outcome: list[Outcome] = []
        self._thread = threading.Thread(target=lambda: self._outcome.append(self.supervisor.run()))

    def site(self, **sections: Any) -> SiteSettings:
        """Two clips that are played for ever; sections of it can be others."""
        said: dict[str, Any] = {
            "site": "home", "sink": "jsonl", "events_file": str(self.folder / "one"), "model": "motion",
            "cameras": {"gate": self.clip(), "yard": self.clip()}, **sections,
        }  # fmt: skip
        return SiteSettings.model_validate(said)

    def clip(self, **keys: Any) -> dict[str, Any]:
        """A camera."""
        return {"source": str(self.folder / "clip.mp4"), "playback": "loop", **keys}

    def detection(self, model: str, workers: int = 1, *, works: int = 9) -> Detection:
        """One that fails after so many detectors."""
        left = [works]

        def make() -> FakeDetector:
            left[0] -= 1
            if left[0] < 0:
                raise EngineUnavailable("no more sessions")
            self.detectors.append(FakeDetector(labels=("motion",)))
            return self.detectors[-1]

        return Detection(model, model, (), ("motion",), workers, 1, 0.0, make, lambda: None)

    def apply(self, site: SiteSettings, detection: Detection | None = None) -> None:
        """Run by this from now on."""
        new = NewSite(site, None, difference(self.running.site, site), detection is not None)
        apply(self.running, new, detection, no_beat)

    def names(self) -> set[str]:
        """The threads of the line that run."""
        return set(self.heartbeats.ages_s())

    def begin(self) -> None:
        """Start, and wait until frames are looked at."""
        self.outbox.open()
        self.running.outgoing.start()
        self._thread.start()
        self.await_frames("gate", "yard")

    def await_frames(self, *camera_ids: str) -> None:
        """Wait until each of these has new frames."""
        seen: set[str] = set()
        began = [len(detector.batches) for detector in self.detectors]
        over = threading.Event()
        for _ in range(int(DEADLINE_S / 0.02)):
            for number, detector in enumerate(self.detectors):
                first = began[number] if number < len(began) else 0
                seen |= {frame.info.camera_id for batch in detector.batches[first:] for frame in batch}
            if seen >= set(camera_ids):
                return
            over.wait(0.02)
        raise AssertionError(f"frames of {sorted(seen)} only, not of {camera_ids}")

    def end(self) -> Outcome:
        """Stop it."""
        self.supervisor.ask_to_stop()
        self._thread.join(DEADLINE_S)
        self.running.outgoing.close()
        self.outbox.close()
        return self._outcome[0]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    render_clip(tmp_path / "clip.mp4", seconds=2, fps=10, size=(64, 48), squares=())
    with Log("text", "info", io.StringIO(), Mask()) as log:
        made = Place(tmp_path, log)
        made.begin()
        yield made
        assert made.end().is_clean


def test_all_at_once_is_applied(place: Place) -> None:
    """Another engine with more workers, another file, cameras that come, go and change: everything runs as asked."""
    cameras = {"yard": place.clip(detect_fps=5, pace="realtime", open_timeout="3s"), "door": place.clip()}
    site = place.site(cameras=cameras, events_file=str(place.folder / "two"))
    place.apply(site, place.detection("other", workers=2))
    place.await_frames("yard", "door")

    assert {"capture-yard", "capture-door", "detect-0", "detect-1"} <= place.names()
    assert "capture-gate" not in place.names()
    assert place.running.site is site
    assert place.running.board.site.engine == "other"
    assert place.made == ["one", "two"]
    assert place.detectors[0].is_closed


def test_what_fails_late_undoes_all_that_was_done(place: Place) -> None:
    """The second of two new cameras cannot be started: no trace is left of the first, of the file, of the engine."""
    over = threading.Event()
    blocker = Stage("capture-door", lambda _: over.wait(DEADLINE_S), over.set, Heartbeat("capture-door", CLOCK, 30.0))
    place.running.changes.enlist(0, [blocker])
    before, old, names = place.running.detection, place.running.site, place.names()
    cameras = {"gate": place.clip(open_timeout="3s"), "well": place.clip(), "door": place.clip()}
    with pytest.raises(ValueError, match="capture-door"):
        place.apply(place.site(cameras=cameras, events_file=str(place.folder / "two")), place.detection("other"))
    place.await_frames("gate", "yard")

    assert place.names() == names
    assert (place.running.site, place.running.detection) == (old, before)
    assert place.made == ["one", "two", "one"]
    assert place.running.board.site.engine == "fake"
    assert set(place.running.line.slots.tallies()) == {"gate", "yard"}
    assert place.running.board.sentence().startswith(("2 of 2", "1 of 2", "0 of 2"))


def test_a_way_out_that_cannot_be_opened_changes_nothing(place: Place) -> None:
    """The old one is opened again."""
    old = place.running.site
    with pytest.raises(Exception, match="cannot be written"):
        place.apply(place.site(events_file=str(place.folder / "nowhere" / "two")))

    assert place.running.site is old
    assert place.made == ["one", "two", "one"]
    place.await_frames("gate", "yard")


def test_an_engine_that_serves_too_few_workers_changes_nothing(place: Place) -> None:
    """The workers of before go on; they were not even asked to leave."""
    detection = place.detection("other", workers=2, works=1)
    with pytest.raises(EngineUnavailable):
        place.apply(place.site(), detection)
    place.await_frames("gate", "yard")

    assert not place.detectors[0].is_closed
    assert place.running.detection.model == "fake"


def test_the_only_camera_can_start_anew(place: Place) -> None:
    """Nothing takes the moment in between for the end of all cameras."""
    place.apply(place.site(cameras={"gate": place.clip()}))
    place.apply(place.site(cameras={"gate": place.clip(playback="loop", pace="realtime", read_timeout="3s")}))
    other = place.folder / "other.mp4"
    other.write_bytes((place.folder / "clip.mp4").read_bytes())
    place.apply(place.site(cameras={"gate": {**place.clip(), "source": str(other)}}))
    place.await_frames("gate")
    place.apply(place.site(cameras={"door": place.clip()}))
    place.await_frames("door")

    assert {name for name in place.names() if name.startswith("capture")} == {"capture-door"}


def test_a_camera_that_returns_under_its_name_numbers_its_frames_on(place: Place) -> None:
    """So no frame number of a run means two frames."""
    whole = place.running.site
    place.apply(place.site(cameras={"gate": place.clip()}))
    frames = [frame for batch in place.detectors[0].batches for frame in batch]
    last = max(frame.info.sequence for frame in frames if frame.info.camera_id == "yard")
    place.apply(whole)
    place.await_frames("yard")
    frames = [frame for batch in place.detectors[0].batches for frame in batch]
    numbers = [frame.info.sequence for frame in frames if frame.info.camera_id == "yard"]

    assert numbers == sorted(set(numbers))
    assert numbers[-1] > last
