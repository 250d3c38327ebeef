"""Durations, sizes, picture sizes and source addresses parse themselves and print themselves back."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

from agent.settings.types import Duration, PictureSize, RefusedError, Secret, Size, SourceAddress, SourceKind


@pytest.mark.parametrize(
    ("written", "seconds", "printed"),
    [
        ("250ms", 0.25, "250ms"),
        ("10s", 10.0, "10s"),
        ("1.5m", 90.0, "90s"),
        ("2h", 7200.0, "2h"),
        ("7d", 604800.0, "7d"),
        ("0s", 0.0, "0s"),
        ("60s", 60.0, "1m"),
        ("0.1ms", 0.0001, "0.0001s"),
    ],
)
def test_duration(written: str, seconds: float, printed: str) -> None:
    """A duration is its seconds, and prints itself in the largest whole unit."""
    duration = Duration.parse(written)

    assert duration == seconds
    assert (str(duration), f"{duration}") == (printed, printed)
    assert pickle.loads(pickle.dumps(duration)) == duration  # noqa: S301 (made in this line)


@pytest.mark.parametrize(
    "written",
    [10, 1.5, True, None, "", "10", "s", "10 s", "-1s", "1e3s", "10S", "10sec", "1h30m", "٣s", [], "9" * 20 + "d"],
)
def test_no_duration(written: object) -> None:
    """A bare number, an unknown unit, a sign or a space is refused."""
    with pytest.raises(RefusedError):
        Duration.parse(written)


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan"), 1e12])
def test_duration_out_of_bounds(seconds: float) -> None:
    """No duration is negative, endless or undefined."""
    with pytest.raises(RefusedError):
        Duration(seconds)


def test_any_duration_prints_itself_back() -> None:
    """Printed and read again, a duration is the same to the last bit."""
    draw = random.Random(7)
    for _ in range(2000):
        duration = Duration(
            draw.choice([draw.random(), draw.randrange(10**9), draw.uniform(0, 10 ** draw.randint(-9, 9))])
        )
        assert Duration.parse(str(duration)) == duration


def test_any_size_prints_itself_back() -> None:
    """Printed and read again, a size is the same."""
    draw = random.Random(7)
    for _ in range(2000):
        size = Size(draw.randrange(2 ** draw.randint(1, 62)) * draw.choice([1, 1000, 1024, 1024**2]) % 2**63)
        assert Size.parse(str(size)) == size


@pytest.mark.parametrize(
    ("written", "size_bytes", "printed"),
    [
        ("512B", 512, "512B"),
        ("64KiB", 65536, "64KiB"),
        ("256MiB", 256 * 1024**2, "256MiB"),
        ("1GB", 10**9, "1GB"),
        ("1.5GiB", 1536 * 1024**2, "1536MiB"),
        ("1KB", 1000, "1kB"),
        ("0B", 0, "0B"),
    ],
)
def test_size(written: str, size_bytes: int, printed: str) -> None:
    """A size is its bytes, and prints itself in the largest whole unit."""
    assert (Size.parse(written), str(Size.parse(written))) == (size_bytes, printed)


@pytest.mark.parametrize(
    "written", [1024, 1.5, True, None, "1024", "1 GB", "1gib", "1Mb", "-1B", "0.3B", "9" * 15 + "TiB"]
)
def test_no_size(written: object) -> None:
    """A bare number, an unknown unit or a part of a byte is refused."""
    with pytest.raises(RefusedError):
        Size.parse(written)


def test_picture_size() -> None:
    """Width by height, or one number for a square."""
    assert PictureSize.parse("640x480") == PictureSize(640, 480)
    assert PictureSize.parse(416) == PictureSize(416, 416)
    assert str(PictureSize(640, 480)) == "640x480"


@pytest.mark.parametrize("written", ["640", "640*480", "640x", "0x480", "640x99999", 8, 10000, True, None, [640, 480]])
def test_no_picture_size(written: object) -> None:
    """Anything else is refused."""
    with pytest.raises(RefusedError):
        PictureSize.parse(written)


@pytest.mark.parametrize(
    ("written", "kind", "location", "printed"),
    [
        ("rtsp://camera/1", SourceKind.RTSP, "rtsp://camera/1", "rtsp://camera/1"),
        ("rtsps://camera:322/1?a=b", SourceKind.RTSP, "rtsps://camera:322/1?a=b", "rtsps://camera:322/1?a=b"),
        ("RTSP://Camera/1", SourceKind.RTSP, "rtsp://Camera/1", "rtsp://Camera/1"),
        ("rtsp://[fe80::1]:554/1", SourceKind.RTSP, "rtsp://[fe80::1]:554/1", "rtsp://[fe80::1]:554/1"),
        ("http://me@camera/1", SourceKind.HTTP, "http://camera/1", "http://***@camera/1"),
        ("rtsp://me:p@camera/1", SourceKind.RTSP, "rtsp://camera/1", "rtsp://***@camera/1"),
        ("https://camera/live.m3u8", SourceKind.HTTP, "https://camera/live.m3u8", "https://camera/live.m3u8"),
        ("clips/a.mp4", SourceKind.FILE, "/site/clips/a.mp4", "/site/clips/a.mp4"),
        ("/clips/a b.mp4", SourceKind.FILE, "/clips/a b.mp4", "/clips/a b.mp4"),
        ("file:///clips/a%20b.mp4", SourceKind.FILE, "/clips/a b.mp4", "/clips/a b.mp4"),
        (0, SourceKind.USB, "0", "0"),
        ("2", SourceKind.USB, "2", "2"),
        ("/dev/video10", SourceKind.USB, "/dev/video10", "/dev/video10"),
        ("videotestsrc ! appsink", SourceKind.GSTREAMER, "videotestsrc ! appsink", "videotestsrc ! appsink"),
    ],
)
def test_source_address(written: object, kind: SourceKind, location: str, printed: str) -> None:
    """The kind is told from what was written, and credentials never stand in the location of a URL."""
    address = SourceAddress.parse(written, Path("/site"))

    assert (address.kind, address.location, str(address)) == (kind, location, printed)
    assert repr(address) == f"SourceAddress({printed!r})"


def test_credentials_are_decoded() -> None:
    """User and password are percent-decoded; an empty password is one."""
    address = SourceAddress.parse("rtsp://d%C3%A9:p%40s%3As%2F@camera/1")
    blank = SourceAddress.parse("rtsp://admin:@camera/1")

    assert (address.username, address.password) == ("dé", Secret("p@s:s/"))
    assert (blank.username, blank.password) == ("admin", Secret(""))
    assert SourceAddress.parse("rtsp://admin@camera/1").password is None


@pytest.mark.parametrize(
    "written",
    [
        *["", " ", None, True, -1, 999, 1.5, [], "rtsp://", "rtsp:///1", "rtsp://camera:99999/", "rtsp://camera:x/"],
        *["rtmp://camera/1", "udp://@:1234", "~/clip.mp4", "a\nb", "rtsp://ca mera/1", "rtsp://a@b@camera/1"],
        *["rtsp://me:12/34@camera/1", "rtsp://me:12#34@camera/1", "rtsp://me:12?34@camera/1", "a ! fakesink"],
    ],
)
def test_no_source_address(written: object) -> None:
    """What nothing can open is refused, and so is a password that ends the host too early."""
    with pytest.raises(RefusedError):
        SourceAddress.parse(written)
