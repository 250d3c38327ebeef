"""The options of `sitewatch serve`, checked: what will be served, how, and where."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import SettingsError
from agent.serve.asked import Asked
from agent.serve.http_server import refuse_open_door
from agent.serve.picture import MOST_PIXELS
from agent.serve.service import ServeLimits
from agent.settings.models import DetectionSettings, ModelSettings
from agent.settings.types.duration import Duration
from agent.settings.types.refused import RefusedError
from agent.settings.types.size import Size

TOKEN_NAME = "SITEWATCH_SERVE_TOKEN"  # noqa: S105 - where it is looked up
LONGEST_TOKEN_BYTES = 4096
MOST_DETECTIONS = 10_000


@dataclass(frozen=True)
class Address:
    """Where to serve, and for whom."""

    host: str
    port: int
    token: str | None


@dataclass(frozen=True)
class ServePlan:
    """What will be served, how, and where.

    Attributes:
        model: as a site file would have it; its batch is the most pictures of one inference.
        detection: which detections count where a request does not say.
        devices: of the chosen kind, at most; None for all.
        cache: where engines and choices are kept, or None.
        limits: of one request.
        is_batch_measured: batches only grow to the size that pays.
        max_wait_s: how long an idle session waits for a fuller batch.
        drain_s: how long new requests are still taken when it is to end.
        decoders: pictures decoded at once.
        address: where, and for whom.
    """

    model: ModelSettings
    detection: DetectionSettings
    devices: int | None
    cache: Path | None
    limits: ServeLimits
    is_batch_measured: bool
    max_wait_s: float
    drain_s: float
    decoders: int
    address: Address

    @property
    def usual(self) -> Asked:
        """What counts where a request does not say."""
        detection = self.detection
        return Asked(detection.score_threshold, detection.iou_threshold, detection.max_detections)


def plan_of(options: argparse.Namespace, environ: Mapping[str, str]) -> ServePlan:
    """The options, checked.

    Raises:
        SettingsError: one cannot be, or a token is missing.
    """
    token = _token(options.token_file, environ)
    refuse_open_door(options.host, token)
    limits = ServeLimits(
        max_bytes=_size("--max-size", options.max_size),
        max_pixels=_whole("--max-pixels", options.max_pixels, MOST_PIXELS),
        requests=_whole("--queue", options.queue, 100_000),
        deadline_s=_seconds("--deadline", options.deadline, 0.1, 600.0),
    )
    return ServePlan(
        model=_model(options),
        detection=_detection(options),
        devices=None if options.devices is None else _whole("--devices", options.devices, 64),
        cache=options.cache,
        limits=limits,
        is_batch_measured=options.batching == "measured",
        max_wait_s=_seconds("--max-wait", options.max_wait, 0.0, 1.0),
        drain_s=_seconds("--drain", options.drain, 0.0, 600.0),
        decoders=_whole("--decoders", options.decoders, 64),
        address=Address(options.host, _whole("--port", options.port, 65535, least=0), token),
    )


def _model(options: argparse.Namespace) -> ModelSettings:
    try:
        return ModelSettings(
            path=options.model,
            labels=options.labels,
            engine=options.engine,
            sessions=_whole("--sessions", options.sessions, 16),
            threads=None if options.threads is None else _whole("--threads", options.threads, 256),
            batch=_whole("--max-batch-size", options.max_batch_size, 64),
            inference_deadline=Duration(_seconds("--inference-deadline", options.inference_deadline, 1.0, 600.0)),
        )
    except ValueError as error:
        raise SettingsError(f"--engine: found {options.engine!r}; allowed: see `sitewatch probe`") from error


def _detection(options: argparse.Namespace) -> DetectionSettings:
    for name, value in (("--score-threshold", options.score_threshold), ("--iou-threshold", options.iou_threshold)):
        if not 0.0 <= value <= 1.0:
            raise SettingsError(f"{name}: found {value}; allowed: 0 to 1")
    return DetectionSettings(
        score_threshold=options.score_threshold,
        iou_threshold=options.iou_threshold,
        max_detections=_whole("--max-detections", options.max_detections, MOST_DETECTIONS),
    )


def _token(file: Path | None, environ: Mapping[str, str]) -> str | None:
    """The token without white space around it; never shown."""
    if file is None:
        return environ.get(TOKEN_NAME, "").strip() or None
    try:
        with file.open("rb") as stream:
            content = stream.read(LONGEST_TOKEN_BYTES + 1)
        token = content.decode("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"--token-file: {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--token-file: {file} holds no text") from error
    if not token or len(content) > LONGEST_TOKEN_BYTES or len(token.split()) != 1:
        raise SettingsError(f"--token-file: {file} must hold one word of at most {LONGEST_TOKEN_BYTES} bytes")
    return token


def _whole(name: str, value: int, most: int, *, least: int = 1) -> int:
    if not least <= value <= most:
        raise SettingsError(f"{name}: found {value}; allowed: {least} to {most}")
    return value


def _seconds(name: str, written: str, least: float, most: float) -> float:
    try:
        found = float(Duration.parse(written))
    except RefusedError as error:
        raise SettingsError(f"{name}: found {written!r}; {error}") from error
    if not least <= found <= most:
        raise SettingsError(f"{name}: found {written}; allowed: {Duration(least)} to {Duration(most)}")
    return found


def _size(name: str, written: str) -> int:
    try:
        found = int(Size.parse(written))
    except RefusedError as error:
        raise SettingsError(f"{name}: found {written!r}; {error}") from error
    return _whole(name, found, 2**31)
