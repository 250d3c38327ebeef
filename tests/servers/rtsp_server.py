"""A camera for tests: plays MP4 files as live RTSP streams on 127.0.0.1, over TCP or UDP, for ever or once.

Run by the system's Python, which has GStreamer's bindings: `rtsp_server.py --port 8554 /gate=gate.mp4`. It prints
"ready" when it listens. `tests/servers/rtsp.py` starts it.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtspServer  # noqa: E402 - versions come first

Gst.init(None)
ROLE = "viewer"
MAY_WATCH = f"{ROLE}, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"


class ClipFactory(GstRtspServer.RTSPMediaFactory):
    """One mount: every client sees the same moment of the clip, as with a camera."""

    def __init__(self, path: str, codec: str, at_end: str) -> None:
        super().__init__()
        self._path, self._codec, self._at_end = path, codec, at_end
        self.set_shared(True)

    def do_create_element(self, _url: Any) -> Any:
        parser, payloader = f"{self._codec}parse", f"rtp{self._codec}pay"
        return Gst.parse_launch(
            f'filesrc location="{self._path}" ! qtdemux ! {parser} ! {payloader} name=pay0 pt=96 config-interval=-1'
        )

    def do_configure(self, media: Any) -> None:
        if self._at_end != "stop":
            media.connect("prepared", self._play_in_a_loop)

    def _play_in_a_loop(self, media: Any) -> None:
        # A segment seek ends in SEGMENT_DONE instead of EOS, and one without a flush lets running time, and with
        # it RTP time, go on over the seam. With a flush both start again: a camera whose clock jumps.
        pipeline = media.get_element()
        again = Gst.SeekFlags.FLUSH if self._at_end == "jump" else Gst.SeekFlags.SEGMENT
        if self._at_end == "loop":
            pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.SEGMENT | Gst.SeekFlags.FLUSH, 0)

        pad = pipeline.get_by_name("pay0").get_static_pad("sink")

        def rewind() -> bool:
            # The demuxer ends a segment where the last frame begins: without this the first frame shares its time.
            if self._at_end == "loop":
                pad.set_offset(pad.get_offset() + frame_length(pad))
            pipeline.seek_simple(Gst.Format.TIME, again | Gst.SeekFlags.KEY_UNIT, 0)
            return GLib.SOURCE_REMOVE

        def swallow_the_end(_pad: Any, info: Any) -> Any:
            if info.get_event().type not in (Gst.EventType.EOS, Gst.EventType.SEGMENT_DONE):
                return Gst.PadProbeReturn.OK
            GLib.idle_add(rewind)
            return Gst.PadProbeReturn.DROP

        pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, swallow_the_end)


def frame_length(pad: Any) -> int:
    """How long one frame lasts, nanoseconds."""
    known, numerator, denominator = pad.get_current_caps().get_structure(0).get_fraction("framerate")
    return int(denominator * Gst.SECOND / numerator) if known and numerator else 0


def make_server(options: argparse.Namespace) -> Any:
    """The server, not yet listening."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    if options.user or options.certificate:
        server.set_auth(make_auth(options))
    for mount, path in (pair.split("=", 1) for pair in options.mount):
        factory = ClipFactory(path, options.codec, options.at_end)
        factory.add_role_from_structure(Gst.Structure.from_string(MAY_WATCH)[0])
        server.get_mount_points().add_factory(mount, factory)
    return server


def make_auth(options: argparse.Namespace) -> Any:
    """Who may watch: whoever knows the password, or everybody when there is none; over TLS when there is a key."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    if options.user:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    else:
        auth.set_default_token(token)
    if options.certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(options.certificate, options.key))
    return auth


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--codec", default="h264", choices=("h264", "h265"))
    parser.add_argument("--at-end", default="loop", choices=("loop", "jump", "stop"))
    parser.add_argument("--certificate", help="PEM file; with --key the server speaks RTSP over TLS only")
    parser.add_argument("--key")
    parser.add_argument("mount", nargs="+", help="/name=clip.mp4")
    server = make_server(parser.parse_args())
    if not server.attach(None):
        sys.exit("the port is in use")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
