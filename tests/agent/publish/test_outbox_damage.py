"""The outbox outlives damage, foreign folders and a killed process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.events import event, metric, teller
from fakes.outbox_place import ROOMY, Box, sequences

from agent.errors import OutboxError
from agent.publish.outbox import Outbox
from agent.publish.payload import event_payload
from agent.telemetry.publish import PublishHappenings

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("damage", ["garbage", "torn", "foreign", "future", "no tables"])
def test_a_damaged_file_is_set_aside(box: Box, damage: str) -> None:
    """What is no outbox gets a new name, is told, and another one is begun."""
    box.open().append([event(n, label="x" * 500) for n in range(1, 50)])
    box.close()
    _spoil(box.path, damage)
    before = box.path.read_bytes()
    outbox = box.open()

    assert [path.read_bytes() for path in box.set_asides() if path.name.endswith("Z")] == [before]
    assert outbox.pending(10) == []
    assert sequences(outbox.append([event(50)])) in ([1], [50])
    assert metric(box.teller, "outbox_set_aside_total") == 1


def test_the_sequence_goes_on_after_damage_where_it_can_be_read(box: Box) -> None:
    """A damaged file still tells the counter unless its very page is hit; then no number is given twice."""
    box.open().append([event(n, label="x" * 500) for n in range(1, 50)])
    box.close()
    _spoil(box.path, "torn")

    assert sequences(box.open().append([event(50)])) == [50]


def test_a_file_damaged_under_way_is_set_aside(box: Box) -> None:
    """The agent goes on: what comes next is kept, with the next numbers."""
    outbox = box.open()
    outbox.append([event(n, label="x" * 500) for n in range(1, 50)])
    connection = outbox._file._connection
    assert connection is not None
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA shrink_memory")
    _spoil(box.path, "torn")
    _spoil_header(box.path)
    outbox.append([event(50)])
    outbox.append([event(51)])

    assert sequences(outbox.pending(100))[-2:] == [50, 51]


def test_set_aside_files_do_not_fill_the_disk(box: Box) -> None:
    """Of many damaged files only the newest three stay."""
    for _ in range(6):
        box.path.parent.mkdir(exist_ok=True)
        box.path.write_bytes(b"garbage" * 1000)
        box.clock.advance(1.0)
        box.open()
        box.close()

    assert len(box.set_asides()) == 3


def test_a_second_agent_on_the_same_folder_is_refused(box: Box, tmp_path: Path) -> None:
    """The error says what is wrong, and the first goes on."""
    first = box.open()
    other = Box(tmp_path)

    with pytest.raises(OutboxError, match="another process holds it"):
        other.open()
    assert sequences(first.append([event(1)])) == [1]


def test_a_state_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """The error names the folder and what to do."""
    (tmp_path / "state").write_text("a file where the folder should be")

    with pytest.raises(OutboxError, match=r"state folder .*state cannot be used.*state_dir"):
        Box(tmp_path).open()


def test_a_read_only_state_folder_is_refused(tmp_path: Path) -> None:
    """An agent of another user sees it at the start, with the folder's name."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o555)
    done = _child("open_only", folder / "outbox.db", as_nobody=os.geteuid() == 0)

    assert done.returncode != 0
    assert f"OutboxError: the state folder {folder} cannot be used" in done.stderr


@pytest.mark.parametrize("after", [1, 7, 60])
def test_a_killed_process_loses_nothing_it_was_told_is_stored(box: Box, after: int) -> None:
    """After SIGKILL in the middle of writing, every event whose append returned is there, in order."""
    process = subprocess.Popen(
        [sys.executable, __file__, "append_for_ever", str(box.path)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env=_environment(),
    )
    assert process.stdout is not None
    stored = [int(process.stdout.readline()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    stored += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
    process.wait(10)
    process.stdout.close()
    found = sequences(box.open().pending(100_000))

    assert found[: len(stored)] == stored
    assert len(found) - len(stored) in (0, 3)  # a batch stored and not yet told
    assert sequences(box._live.append([event(1)])) == [found[-1] + 1]  # type: ignore[union-attr]  # opened above


def _spoil(path: Path, damage: str) -> None:
    if damage == "garbage":
        path.write_bytes(os.urandom(20_000))
    elif damage == "torn":
        content = bytearray(path.read_bytes())
        content[5 * 4096 : 9 * 4096] = b"\xa5" * (4 * 4096)
        path.write_bytes(content)
    else:
        path.unlink()
        connection = sqlite3.connect(path)
        version = {"foreign": 0, "future": 99, "no tables": 1}[damage]
        connection.execute("CREATE TABLE song (title TEXT)")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
        connection.close()


def _spoil_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xa5" * 4096 * 4)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}


def _child(action: str, path: Path, *, as_nobody: bool) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, __file__, action, str(path), *(["nobody"] if as_nobody else [])]
    return subprocess.run(
        arguments, capture_output=True, text=True, cwd=REPOSITORY, env=_environment(), timeout=30, check=False
    )


def _main(action: str, path: Path, *, as_nobody: bool) -> None:
    """What the child processes of these tests do."""
    outbox = Outbox(path, ROOMY, FakeClock(), PublishHappenings(teller()), event_payload)
    if as_nobody:
        for parent in list(path.parents)[1:4]:  # the test's own folders are closed to others
            parent.chmod(0o755)
        os.setuid(65534)
    outbox.open()
    if action == "append_for_ever":
        number = 0
        while True:
            stored = outbox.append([event(number := number + 1) for _ in range(3)])
            os.write(1, b"".join(b"%d\n" % item.sequence for item in stored))  # one piece, or none


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), as_nobody=len(sys.argv) > 3)
