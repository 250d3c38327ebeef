"""A site file that cannot be used: `sitewatch check` says what, where and what instead, and ends with 78."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.cli import main
from agent.service.exit_codes import ExitCode

REPOSITORY = Path(__file__).resolve().parents[3]
NOBODY = 65534
SECRET = "hunter2secret"
GOOD = """\
site: home
broker: embedded
model: motion
cameras:
  gate: {source: rtsp://viewer:hunter2secret@127.0.0.1/gate}
http: {port: 0}
"""
# What is wrong: the file's content, and what the report must hold.
CASES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ": an empty file; allowed: a site file"),
    "binary": (b"\x00\x01\xff\xfe junk \x00", ": a binary file; allowed: a text file in UTF-8"),
    "latin-1": ("site: h\u00f6f".encode("latin-1"), "allowed: a text file in UTF-8"),
    "a list": (b"- site\n- cameras\n", "a list; allowed: keys with values"),
    "a tab": (b"site: home\ncameras:\n\tgate: x\n", ":3: a tab (indent and separate with spaces)"),
    "a duplicate key": (GOOD.replace("site: home", "site: home\nsite: yard").encode(), ":2: site: site stands here"),
    "a wrong type": (GOOD.replace("port: 0", "port: many").encode(), ":6: http.port: found 'many'; allowed: a whole"),
    "two cameras of one name": (
        GOOD.replace("http:", "  gate: {source: rtsp://h/b}\nhttp:").encode(),
        ":6: cameras.gate: two cameras are called gate: lines 5 and 6",
    ),
    "no cameras": (b"site: home\nbroker: embedded\nmodel: motion\n", ": cameras: is missing"),
    "open to the network without a token": (
        GOOD.replace("port: 0", "port: 0, host: 0.0.0.0").encode(),
        ":6: http.host: 0.0.0.0, which other machines may reach, and no http.token; allowed: 127.0.0.1",
    ),
    "a password outside of credentials": (
        GOOD.replace("embedded", f"{{host: b, pasword: {SECRET}}}").encode(),
        ":2: broker.pasword: unknown key",
    ),
    "an unset variable": (
        GOOD.replace("embedded", "{host: b, username: u, password: '${SITEWATCH_NOT_SET}'}").encode(),
        "SITEWATCH_NOT_SET",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_file_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names file and line, what was found and what is allowed; it holds no credential."""
    content, told = CASES[name]
    path = tmp_path / "site.yaml"
    path.write_bytes(content)

    assert main(["check", str(path)]) == ExitCode.CONFIG
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"sitewatch: 1 mistake in {path}\n  {path}")
    assert told in output.err
    assert SECRET not in output.err


def test_a_good_file_is_told_to_be_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or the refusals above would prove nothing."""
    path = tmp_path / "site.yaml"
    path.write_text(GOOD)

    assert main(["check", str(path)]) == ExitCode.OK
    assert capsys.readouterr() == (
        f"{path}: good. Site home, cameras gate; the built-in motion detector\n",
        "",
    )


def test_all_mistakes_come_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Typos, ranges, missing files and rules between keys, in the order of the file."""
    path = tmp_path / "site.yaml"
    path.write_text(
        "site: Home Site\n"
        f"broker: {{host: b, pasword: {SECRET}, port: 70000}}\n"
        "model: {path: nope.onnx, famly: yolox}\n"
        "cameras:\n"
        f"  gate: {{source: 'rtsp://u:{SECRET}@h/a', retry_min: 10}}\n"
        "  yard: {}\n"
        "http: {host: 0.0.0.0}\n"
        "outbox: {max_size: 5 parsecs}\n"
    )

    assert main(["check", str(path)]) == ExitCode.CONFIG
    report = capsys.readouterr().err
    mistakes = [line.removeprefix(f"  {path}:").split(": ")[:2] for line in report.splitlines()[1:]]
    assert mistakes == [
        ["1", "site"], ["2", "broker.pasword"], ["2", "broker.port"], ["3", "model.famly"], ["3", "model.path"],
        ["5", "cameras.gate.retry_min"], ["6", "cameras.yard.source"], ["7", "http.host"], ["8", "outbox.max_size"],
    ]  # fmt: skip
    assert "did you mean password?" in report
    assert "write 10s" in report
    assert SECRET not in report


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing one, and a folder."""
    assert main(["check", str(tmp_path / "site.yaml")]) == ExitCode.CONFIG
    assert "site.yaml: no such file" in capsys.readouterr().err
    assert main(["check", str(tmp_path)]) == ExitCode.CONFIG
    assert f"{tmp_path}: a folder" in capsys.readouterr().err


def test_files_that_may_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The site file, and the model it names: told with the system's reason."""
    with _open_to_all() as folder, _as_nobody():
        site, model = folder / "site.yaml", folder / "m.onnx"
        for path in (site, model):
            path.write_text(GOOD.replace("motion", "{path: m.onnx}"))
        model.chmod(0)
        assert main(["check", str(site)]) == ExitCode.CONFIG
        assert f":3: model.path: {model}: cannot be read (Permission denied)" in capsys.readouterr().err
        site.chmod(0)
        assert main(["check", str(site)]) == ExitCode.CONFIG
        assert f"{site}: cannot be read (Permission denied)" in capsys.readouterr().err


def test_run_refuses_it_alike(tmp_path: Path) -> None:
    """The same report, before anything is opened, and the same exit status."""
    path = tmp_path / "site.yaml"
    path.write_text(GOOD.replace("port: 0", f"prt: 0, token: {SECRET}-{SECRET}"))
    done = subprocess.run(
        [sys.executable, "-m", "agent", "run", str(path)],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip

    assert done.returncode == ExitCode.CONFIG
    assert f"{path}:6: http.prt: unknown key" in done.stderr
    assert "did you mean port?" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_print_shows_what_it_comes_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key with its value in effect; credentials, wherever they stand, as stars."""
    path = tmp_path / "site.yaml"
    path.write_text(
        GOOD.replace("embedded", f"{{host: b, username: u, password: {SECRET}}}").replace(
            "port: 0", f"port: 0, token: {SECRET}-{SECRET}"
        )
    )

    assert main(["check", str(path), "--print"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert SECRET not in shown
    assert "rtsp://***@127.0.0.1/gate" in shown
    assert "score_threshold: 0.1" in shown


@contextmanager
def _open_to_all() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Root may read everything; so be somebody else for a while."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
