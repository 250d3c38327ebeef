"""Danger: the engine raises, lies or hangs while it works; real models that do so once a blue square is in view."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.accounts import assert_balanced
from live.agent_process import AgentProcess, until
from live.sites import INPUT_PX, SIZE_PX, write_clip, write_site
from models.troubled_detectors import build_troubled
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from soak.ledger import Ledger

pytestmark = pytest.mark.mosquitto
END_S = 40.0
SOFTWARE = 70
DEADLINE_S = 2.0
MOST_GOODBYE_S = 6.0


class Troubled:
    """A camera, a broker with a subscriber, and the agent with a model that will make trouble."""

    def __init__(self, stack: ExitStack, folder: Path, trouble: str) -> None:
        self.broker = stack.enter_context(Mosquitto(folder / "broker"))
        self.subscriber = stack.enter_context(Subscriber(self.broker))
        clip = write_clip(folder / "clip.mp4")
        site = write_site(
            folder,
            {"gate": {"source": str(clip), "playback": "loop"}},
            broker={"host": self.broker.host, "port": self.broker.port},
            model={
                "path": str(build_troubled(trouble, folder / "model.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)),
                "engine": "onnxruntime",
                "inference_deadline": f"{DEADLINE_S:g}s",
            },
        )
        self.agent = stack.enter_context(AgentProcess(site, folder))

    def ledger(self) -> Ledger:
        """Every event that arrived."""
        ledger = Ledger()
        for message in self.subscriber.on("/events"):
            ledger.take(message.payload)
        return ledger

    def site_states(self) -> list[str]:
        """What was told of the site, in order."""
        return [message.json()["state"] for message in self.subscriber.on("home/status")]


@pytest.mark.parametrize("trouble", ["raises", "wrong shape", "no number"])
def test_an_engine_that_fails_in_a_row_ends_the_process(tmp_path: Path, trouble: str) -> None:
    """Five inferences that raise or give nonsense: told, counted, a goodbye, exit 70; events until then are there."""
    with ExitStack() as stack:
        site = Troubled(stack, tmp_path, trouble)
        assert site.agent.wait(END_S) == SOFTWARE
        until(lambda: site.site_states()[-1:] == ["stopped"], "the goodbye")
        ledger = site.ledger()

    assert "inferences failed" in site.agent.log
    assert "sitewatch ends: " in site.agent.log
    assert "Traceback" not in site.agent.log
    assert ledger.count >= 1
    assert_balanced(ledger, ledger.count)


def test_an_engine_that_hangs_ends_the_process(tmp_path: Path) -> None:
    """Its thread is stuck for ever: the engine is named, the goodbye is said, exit 70 soon after the deadline."""
    with ExitStack() as stack:
        site = Troubled(stack, tmp_path, "hangs")
        until(lambda: "hangs: an inference of detect-0" in site.agent.log, "noticed", END_S)
        noticed_s = time.monotonic()
        assert site.agent.wait(END_S) == SOFTWARE
        took_s = time.monotonic() - noticed_s
        until(lambda: site.site_states()[-1:] == ["stopped"], "the goodbye")
        ledger = site.ledger()

    assert "model on onnxruntime" in site.agent.log
    assert took_s < MOST_GOODBYE_S
    assert_balanced(ledger, ledger.count)
