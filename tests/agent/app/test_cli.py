"""The command line itself: help, mistakes in it, and readers of its output that go away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent import __version__
from agent.cli import main
from agent.service.exit_codes import ExitCode

REPOSITORY = Path(__file__).resolve().parents[3]
VERBS = ("run", "check", "probe", "replay", "track-eval", "version")
WIDTH = 82


def page(capsys: pytest.CaptureFixture[str], *verb: str) -> str:
    """What `--help` prints; ends with 0."""
    with pytest.raises(SystemExit) as ended:
        main([*verb, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in VERBS)])
def test_help_fits_a_terminal(verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Every page says how it is called and what it does, in lines that fit."""
    text = page(capsys, *verb)

    assert text.startswith(" ".join(["usage: sitewatch", *verb]))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert verb == ("version",) or "examples:" in text


def test_help_tells_verbs_and_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    """All verbs, and every exit status that is given on purpose."""
    text = page(capsys)

    for verb in VERBS:
        assert f"\n    {verb} " in text
    for code in (64, 65, 66, 69, 70, 73, 75, 78):
        assert f"\n  {code}  " in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: VERB (see sitewatch --help)"),
        (["fly"], "invalid choice: 'fly'"),
        (["run"], "required: SITE.yaml (see sitewatch run --help)"),
        (["check", "a", "b"], "unrecognized arguments: b"),
        (["probe", "--yaml"], "unrecognized arguments: --yaml"),
        (["replay", "clip.mp4"], "replay needs --model M.onnx, --model motion or --site SITE.yaml"),
        (["replay", "clip.mp4", "--score-threshold", "high"], "invalid float value: 'high'"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage and what is wrong, and 64."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == ExitCode.USAGE
    output = capsys.readouterr()
    assert output.err.startswith("usage: sitewatch")
    assert told in output.err
    assert output.out == ""


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """One line: ours, Python's, the system's."""
    assert main(["version"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith(f"sitewatch {__version__} (Python 3.")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("argument", ["version", "--help"])
def test_a_reader_that_went_away(argument: str, unbuffered: str) -> None:
    """`sitewatch version | true` ends well and without a word, whenever the interpreter writes."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run_with_output(writing, argument, unbuffered=unbuffered)
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="linux only: a device that is always full")
def test_an_output_that_is_full() -> None:
    """An answer that cannot be written is told in a sentence, with 73."""
    with Path("/dev/full").open("wb") as full:
        done = run_with_output(full.fileno(), "version", unbuffered="")

    assert done.returncode == ExitCode.CANTCREAT
    assert done.stderr == "sitewatch: standard output cannot be written: No space left on device\n"


def run_with_output(descriptor: int, argument: str, *, unbuffered: str) -> subprocess.CompletedProcess[str]:
    """`sitewatch ARGUMENT`, writing there."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(
        [sys.executable, "-m", "agent", argument],
        stdout=descriptor, stderr=subprocess.PIPE, text=True, timeout=30, check=False, env=environment,
    )  # fmt: skip
