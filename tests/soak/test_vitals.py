"""What /proc says of a process whose threads, files and children are known."""

from __future__ import annotations

import signal
import subprocess
import sys

from soak.vitals import catches, vitals_of

PROGRAM = """
import signal, subprocess, sys, tempfile, threading, time
signal.signal(signal.SIGHUP, lambda *_: None)
files = [tempfile.TemporaryFile() for _ in range(10)]
threads = [threading.Thread(target=time.sleep, args=(60,), daemon=True) for _ in range(3)]
for thread in threads:
    thread.start()
child = subprocess.Popen([sys.executable, "-c", "print('ready', flush=True); input()"], stdin=subprocess.PIPE)
input()
child.kill()
"""


def test_a_known_process() -> None:
    """Files, threads and memory of it and its child; and which signals it listens for."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    found = vitals_of(process.pid)
    hears = catches(process.pid, signal.SIGHUP), catches(process.pid, signal.SIGUSR1)
    process.communicate(b"\n")

    assert found is not None
    assert found.threads == 4 + 1
    assert 10 + 3 + 3 <= found.descriptors <= 24
    assert found.resident_bytes > 5_000_000
    assert hears == (True, False)
    assert vitals_of(process.pid) is None
