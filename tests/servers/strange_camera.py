"""A real RTSP camera, over TCP, whose picture, codec and clocks change while somebody watches."""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from servers.rtp_packets import PAYLOAD_TYPE, TICKS_PER_S, CodedClip, rtp_packets, sender_report

LOOPBACK = "127.0.0.1"
TURN_S = 0.1
REPORT_EVERY_S = 0.5
ENCODINGS = {"h264": "H264", "hevc": "H265"}


class StrangeCamera:
    """Plays a clip in a loop to one client at a time; what is changed takes effect with the next picture.

    Attributes:
        sessions: how often somebody began to watch.
    """

    def __init__(self, clip: Path, *, rtp_time: int = 7 * TICKS_PER_S) -> None:
        """Not yet listening; the RTP time of a session begins at `rtp_time`, in ticks."""
        self.sessions = 0
        self._clip = CodedClip.of_file(clip)
        self._rtp_time = self._rtp_begins = rtp_time
        self._clock_offset_s = 0.0
        self._place = self._packets = 0
        self._reported_s = 0.0
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.settimeout(TURN_S)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="strange camera")

    @property
    def url(self) -> str:
        """Where it is watched."""
        return f"rtsp://{LOOPBACK}:{self._listener.getsockname()[1]}/gate"

    def play(self, clip: Path) -> None:
        """Go on with another clip, in the same session, without a word."""
        self._clip, self._place = CodedClip.of_file(clip), 0

    def jump_stream(self, seconds: float) -> None:
        """Let RTP time leap."""
        self._rtp_time += round(seconds * TICKS_PER_S)

    def jump_clock(self, seconds: float) -> None:
        """Let its own wall clock, which its sender reports tell, leap."""
        self._clock_offset_s += seconds

    def __enter__(self) -> StrangeCamera:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            with suppress(TimeoutError, ConnectionError):
                connection, _ = self._listener.accept()
                with connection:
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        """Answer until it plays, then play, until the client leaves."""
        connection.settimeout(1.0)
        due_s = None
        while not self._is_over.is_set():
            wait_s = TURN_S if due_s is None else max(0.0, min(TURN_S, due_s - time.monotonic()))
            if select.select([connection], [], [], wait_s)[0]:
                if not (asked := connection.recv(65_536)):
                    return
                due_s = time.monotonic() if self._answer(connection, asked) else due_s
            if due_s is not None and time.monotonic() >= due_s:
                due_s += 1.0 / self._clip.fps
                self._send_picture(connection)

    def _answer(self, connection: socket.socket, asked: bytes) -> bool:
        """Answer one request; whether it was PLAY. What is no request (a receiver's report) is left alone."""
        request = re.search(rb"([A-Z_]+) (\S+) RTSP/1.0\r\n.*?CSeq: (\d+)", asked, re.DOTALL)
        if request is None:
            return False
        method, number = request[1].decode(), request[3].decode()
        headers, body = {"CSeq": number, "Session": "1"}, ""
        if method == "OPTIONS":
            headers["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
        if method == "DESCRIBE":
            body = self._description()
            headers |= {"Content-Type": "application/sdp", "Content-Length": str(len(body))}
        if method == "SETUP":
            headers["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"RTSP/1.0 200 OK\r\n{lines}\r\n{body}".encode())
        if method == "PLAY":
            self.sessions += 1
            self._place, self._rtp_time, self._reported_s = 0, self._rtp_begins, 0.0
        return method == "PLAY"

    def _description(self) -> str:
        lines = [
            "v=0", f"o=- 0 0 IN IP4 {LOOPBACK}", "s=strange", f"c=IN IP4 {LOOPBACK}", "t=0 0",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}", f"a=rtpmap:{PAYLOAD_TYPE} {ENCODINGS[self._clip.codec]}/{TICKS_PER_S}",
            f"a=fmtp:{PAYLOAD_TYPE} {'packetization-mode=1' if self._clip.codec == 'h264' else 'tx-mode=SRST'}",
            "a=control:video",
        ]  # fmt: skip
        return "".join(f"{line}\r\n" for line in lines)

    def _send_picture(self, connection: socket.socket) -> None:
        clip = self._clip
        if time.monotonic() - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = time.monotonic()
            report = sender_report(time.time() + self._clock_offset_s, self._rtp_time, self._packets)
            connection.sendall(struct.pack("!cBH", b"$", 1, len(report)) + report)
        picture = clip.pictures[self._place % len(clip.pictures)]
        for packet in rtp_packets(clip.codec, picture, self._packets, self._rtp_time):
            connection.sendall(struct.pack("!cBH", b"$", 0, len(packet)) + packet)
            self._packets += 1
        self._place += 1
        self._rtp_time += round(TICKS_PER_S / clip.fps)
