"""How the detection server is told: requests, refusals, what waits, which session did what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from agent.telemetry.teller import Teller


class ServeHappenings:
    """Told by the HTTP face and by the sessions' threads; any thread may call."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._requests = teller.counter("serve_requests", "Requests answered, by HTTP status.", ("page", "status"))
        self._refusals = teller.counter("serve_refusals", "Requests that got no detections, by reason.", ("code",))
        self._seconds = teller.seconds("serve_request_seconds", "From the request's head to its answer.", ("page",))
        self._pictures = teller.counter("serve_pictures", "Pictures searched.", ("device",))
        self._most = teller.gauge("serve_batch_limit", "Pictures of one inference, at most, as measured.", ("session",))
        self._waiting = teller.gauge("serve_waiting", "Pictures that wait for a session.")
        self._open = teller.gauge("serve_open_requests", "Requests for detections that are being answered.")
        self._ready = teller.gauge("serve_ready", "1 while requests are answered, as /ready tells.")
        self._changed = teller.gauge(
            "serve_model_changed", "1 when the model's file is no longer the one that was loaded, which goes on."
        )

    def watch(self, waiting: Callable[[], int], open_requests: Callable[[], int], is_ready: Callable[[], bool]) -> None:
        """Show what these return whenever metrics are read; quick, safe from any thread."""
        self._waiting.set_function(waiting)
        self._open.set_function(open_requests)
        self._ready.set_function(lambda: float(is_ready()))

    def answered(self, page: str, status: int, seconds: float) -> None:
        """A request has its answer; `page` is one of ours, or "other"."""
        self._requests.labels(page, str(int(status))).inc()
        self._seconds.labels(page).observe(seconds)

    def refused(self, code: str) -> None:
        """A request got no detections; `code` is one of a closed list."""
        self._refusals.labels(code).inc()

    def failed(self, page: str, error: BaseException) -> None:
        """A bug of ours ended a request; its sender is told that, and no more."""
        sentence = f"{page}: {type(error).__name__}: {error}"
        self._teller.say_error(logging.ERROR, sentence, error, page=page)

    def measured(self, session: str, took_s: Mapping[int, float], most: int) -> None:
        """A session knows how long each size of batch takes, and which it goes up to."""
        rates = ", ".join(f"{count}: {count / seconds:.1f}" for count, seconds in took_s.items())
        sentence = f"{session}: pictures a second by batch: {rates}; batches of at most {most}"
        self._most.labels(session).set(most)
        self._teller.say(logging.INFO, sentence, session=session, most=most)

    def searched(self, device: str, count: int) -> None:
        """A session searched so many pictures in one inference."""
        self._pictures.labels(device).inc(count)

    def began(self, sentence: str) -> None:
        """The process knows what it will serve, and where."""
        self._teller.say(logging.INFO, sentence)

    def ready(self, address: str, seconds: float) -> None:
        """Requests are answered from now on."""
        self._teller.say(logging.INFO, f"ready after {seconds:.1f} s on {address}", address=address)

    def draining(self) -> None:
        """No longer ready: what is open is answered, then everything ends."""
        self._teller.say(logging.INFO, "draining: open requests are answered, /ready says 503")

    def model_changed(self, path: str, *, is_changed: bool) -> None:
        """The model's file became another, or is again the one that was loaded."""
        self._changed.set(is_changed)
        if is_changed:
            sentence = f"{path} is no longer the model that was loaded, which goes on; start again to load the new one"
            self._teller.say(logging.WARNING, sentence, path=path)
        else:
            self._teller.say(logging.INFO, f"{path} is again the model that was loaded", path=path)
