"""One camera: where its pictures come from and how patient we are with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.settings.models.broker import TlsSettings
from agent.settings.models.choices import CameraMotionPolicy, Pace, Playback, RtspTransport
from agent.settings.models.ground import GroundPoints
from agent.settings.models.record import Label, Record, UserName
from agent.settings.types import Duration, Secret, SourceAddress
from agent.settings.types.limits import Number, Within

Timeout = Annotated[Duration, Within(Duration(0.1), Duration(60.0))]
Pause = Annotated[Duration, Within(Duration(0.1), Duration(3600.0))]
FramesPerSecond = Annotated[float, Number(0.0, 1000.0, open_low=True)]
KeptLabels = Annotated[tuple[Label, ...], Field(min_length=1)]


class CameraSettings(Record):
    """One viewpoint."""

    source: SourceAddress
    """rtsp://, rtsps://, http:// or https:// address, path of a file, number of a USB camera or /dev/videoN,
    or a GStreamer pipeline that ends in appsink."""

    username: UserName | None = None
    """User name at an RTSP or HTTP camera, if it is not in the address."""

    password: Secret | None = None
    """Password at the camera: ${NAME} of the environment, !file PATH, or text."""

    rtsp_transport: RtspTransport = RtspTransport.TCP
    """How RTSP delivers pictures: tcp, or udp for a camera that does not do tcp."""

    tls: TlsSettings | None = None
    """How the certificate of an rtsps:// or https:// camera is judged; null trusts the system's authorities."""

    detect_fps: FramesPerSecond | None = 10.0
    """Frames a second that are looked at, at most; null looks at every frame."""

    max_frame_age: Timeout = Duration(2.0)
    """How old a frame may be when detection takes it; an older one is dropped and counted: 100ms to 1m.
    Of a clip with pace: fast nothing is dropped."""

    keep_labels: KeptLabels | None = None
    """Labels that count on this camera; null takes detection.keep_labels."""

    camera_motion: CameraMotionPolicy = CameraMotionPolicy.IGNORE
    """ignore: the camera stands still. compensate: it turns, zooms, sways or drives; costs a few milliseconds
    a frame that is looked at."""

    ground_points: GroundPoints | None = None
    """Four points or more of flat ground, far apart, no three of four on one line, seen by a camera that stands
    still: tracks are then followed on the ground too, which helps most where few frames a second are looked at."""

    open_timeout: Timeout = Duration(10.0)
    """How long connecting and the first answer may take: 100ms to 1m."""

    read_timeout: Timeout = Duration(10.0)
    """How long one read may take: 100ms to 1m."""

    stall_timeout: Timeout = Duration(10.0)
    """How long an open source may go without a picture before it is opened anew: 100ms to 1m."""

    retry_min: Pause = Duration(1.0)
    """Pause before the first new attempt; it doubles, with jitter, up to retry_max."""

    retry_max: Pause = Duration(30.0)
    """Longest pause between attempts, which go on for ever."""

    pace: Pace = Pace.REALTIME
    """Files only. realtime: at their own pace, like a camera. fast: every frame, as fast as it goes."""

    playback: Playback = Playback.ONCE
    """Files only. once: stop at the end. loop: begin again."""
