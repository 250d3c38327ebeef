"""Several clients at once: batches come about, everybody gets their own answer, devices share the work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from clips import sent_pictures
from clips.rendered import TruthBox, draw
from PIL import Image
from servers.detection_server import Serving, serving

CLIENTS = 8
REQUESTS = 24


def picture(number: int) -> tuple[bytes, float]:
    """A red square somewhere of its own, and where."""
    left = 10.0 + 12 * number
    pixels = draw([TruthBox(1, 0, left, 100, left + 64, 164)], (640, 360), seed=number)
    return sent_pictures.encoded(Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])), "PNG"), left


def ask_together(served: Serving) -> list[dict[str, object]]:
    """Many requests of several clients with other thresholds each; every answer is that client's own."""
    pictures = [picture(number) for number in range(REQUESTS)]

    def ask(number: int) -> dict[str, object]:
        content, left = pictures[number]
        # Every third asks for what is not there.
        answer = served.detect(content, score_threshold=0.3 + number / 1000, label=["red", "red", "blue"][number % 3])
        told = answer.json()
        assert answer.status_code == 200, told
        assert told["thresholds"]["score_threshold"] == pytest.approx(0.3 + number / 1000)
        if number % 3 == 2:
            assert told["detections"] == []
        else:
            assert [each["box"][0] for each in told["detections"]] == [pytest.approx(left, abs=2.0)]
        return dict(told["engine"])

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(ask, range(REQUESTS)))


def test_clients_share_inferences(squares_model: Path) -> None:
    """Eight clients need fewer inferences than they send pictures, and nobody gets another's boxes."""
    with serving(squares_model, "--batching", "always", "--decoders", "4") as served:
        engines = ask_together(served)
        assert served.metric("sitewatch_serve_pictures_total") == REQUESTS

    assert max(int(str(each["batch"])) for each in engines) > 1


def test_devices_share_the_work(squares_model: Path) -> None:
    """Two devices with two sessions each: both search, and the answers are right."""
    with serving(squares_model, "--sessions", "2", "--max-batch-size", "4", devices=("gpu 0", "gpu 1")) as served:
        engines = ask_together(served)
        counts = [served.metric(f'sitewatch_serve_pictures_total{{device="{each}"}}') for each in ("gpu 0", "gpu 1")]

    assert sum(counts) == REQUESTS
    assert min(counts) > REQUESTS / 5
    assert {str(each["session"])[:5] for each in engines} == {"gpu 0", "gpu 1"}
    assert {each["accelerator"] for each in engines} == {"gpu 0", "gpu 1"}


def test_a_full_house_refuses(squares_model: Path) -> None:
    """One more than may be open gets 503 and Retry-After; all others are answered."""
    with serving(squares_model, "--queue", "2", "--max-batch-size", "1") as served:
        content = picture(0)[0]
        with ThreadPoolExecutor(CLIENTS) as clients:
            answers = list(clients.map(lambda _: served.detect(content), range(REQUESTS)))
        refused = [answer for answer in answers if answer.status_code == 503]

        assert {answer.status_code for answer in answers} == {200, 503}
        assert {answer.json()["code"] for answer in refused} == {"queue_full"}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert served.metric('sitewatch_serve_refusals_total{code="queue_full"}') == len(refused)
        assert served.detect(content).status_code == 200
