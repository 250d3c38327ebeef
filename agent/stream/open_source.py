"""Which kind of source a camera's settings ask for."""

from __future__ import annotations

from collections.abc import Callable

from agent.clock import Clock
from agent.settings.models import CameraSettings, TlsSettings, TlsVerification
from agent.settings.types import SourceKind
from agent.stream.av_target import AvTarget, TlsOptions, file_target, http_target, rtsp_target
from agent.stream.av_timing import Playing
from agent.stream.limits import Limits
from agent.stream.opencv_source import DeviceKind, OpencvSource
from agent.stream.pyav_source import PyavSource
from agent.stream.source import CameraContext, FrameNumbers, FrameSource, SourceListener


def open_source(
    camera_id: str,
    settings: CameraSettings,
    *,
    clock: Clock,
    numbers: FrameNumbers,
    listener: SourceListener,
    beat: Callable[[], None] = lambda: None,
) -> FrameSource:
    """Make the source of one camera; nothing is opened before its `frames()` runs.

    Args:
        camera_id: the camera's name in the site file.
        settings: of this camera.
        clock: for times of arrival.
        numbers: one for the life of the camera, so that sequence and time rise over its reconnects.
        listener: is told what happens.
        beat: called at least every second while frames are waited for.
    """
    context = CameraContext(camera_id, clock, numbers, listener, beat)
    limits = Limits(settings.open_timeout, settings.read_timeout, settings.stall_timeout)
    source = settings.source
    if source.kind is SourceKind.USB:
        return OpencvSource(context, DeviceKind.USB, source.location, limits, shown=str(source))
    if source.kind is SourceKind.GSTREAMER:
        return OpencvSource(context, DeviceKind.GSTREAMER, source.location, limits, shown=str(source))
    return PyavSource(context, _target(settings, limits), limits, Playing(settings.pace, settings.playback))


def _target(settings: CameraSettings, limits: Limits) -> AvTarget:
    source = settings.source
    if source.kind is SourceKind.FILE:
        return file_target(source.location)
    password = settings.password or source.password
    username = settings.username or source.username
    revealed = None if password is None else password.reveal()
    tls = _tls(settings.tls)
    if source.kind is SourceKind.RTSP:
        return rtsp_target(
            source.location,
            limits,
            transport=settings.rtsp_transport.value,
            tls=tls,
            username=username,
            password=revealed,
            shown=str(source),
        )
    return http_target(source.location, limits, tls=tls, username=username, password=revealed, shown=str(source))


def _tls(settings: TlsSettings | None) -> TlsOptions:
    if settings is None:
        return TlsOptions()
    return TlsOptions(
        ca_file=str(settings.ca_file) if settings.ca_file else None,
        verifies=settings.verify is TlsVerification.FULL,
        client_cert_file=str(settings.client_cert_file) if settings.client_cert_file else None,
        client_key_file=str(settings.client_key_file) if settings.client_key_file else None,
    )
