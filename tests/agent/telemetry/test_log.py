"""Log lines: parseable for machines, readable for people, safe for both."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from agent.telemetry.log import Log, LogFormat, LogLevel
from agent.telemetry.masking import Mask
from agent.telemetry.teller import Teller

SECRET = "s3cret-hunter2"


def _lines(
    act: Callable[[logging.Logger], object], log_format: LogFormat = "json", level: LogLevel = "info"
) -> list[str]:
    stream = io.StringIO()
    with Log(log_format, level, stream, Mask([SECRET]), environ={}):
        act(logging.getLogger("sitewatch.test"))
    return stream.getvalue().splitlines()


def _teller(logger: logging.Logger) -> Teller:
    return Teller(CollectorRegistry(), logger)


def _refuse() -> None:
    raise ConnectionError(f"rtsp://admin:{SECRET}@cam refused {SECRET}")


def _open() -> None:
    try:
        _refuse()
    except ConnectionError as error:
        raise RuntimeError("outer") from error


def _tell_failure(logger: logging.Logger) -> None:
    try:
        _open()
    except RuntimeError as error:
        _teller(logger).say_error(logging.ERROR, f"gate: failed with {SECRET}", error, password=SECRET)


def test_a_json_line_has_time_level_logger_message_and_fields() -> None:
    """One object a line; the time is RFC 3339 in UTC."""
    (line,) = _lines(lambda logger: _teller(logger).say(logging.WARNING, "gate: away", camera="gate", tries=3))

    record = json.loads(line)
    assert record.pop("ts").endswith("Z")
    assert record == {
        "level": "warning",
        "logger": "sitewatch.test",
        "message": "gate: away",
        "fields": {"camera": "gate", "tries": 3},
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (1.5, 1.5),
        (True, True),
        ([1, {"a": SECRET}], [1, {"a": "***"}]),
        ({SECRET: 1}, {"***": 1}),
        (Path("/etc"), "/etc"),
        (b"ab", "b'ab'"),
        ("lone \udc80 surrogate", "lone \udc80 surrogate"),
        ("tab\tline\nend", "tab\tline\nend"),
    ],
)
def test_any_field_becomes_json(value: object, told: object) -> None:
    """Whatever a happening carries, the line parses strictly and holds no secret."""
    (line,) = _lines(lambda logger: _teller(logger).say(logging.INFO, "x", value=value))

    assert json.loads(line, parse_constant=pytest.fail)["fields"] == {"value": told}


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_secret_in_messages_fields_or_tracebacks(log_format: LogFormat) -> None:
    """Exceptions carry addresses; chains of them too."""
    text = "\n".join(_lines(_tell_failure, log_format))

    assert SECRET not in text
    assert "rtsp://admin:***@cam" in text
    assert "RuntimeError: outer" in text


def test_a_traceback_in_json_stays_one_line() -> None:
    """One line per happening, whatever is in it."""
    (line,) = _lines(_tell_failure)

    assert json.loads(line)["error"].splitlines()[0] == "Traceback (most recent call last):"


def test_a_message_cannot_forge_a_line_or_colour_a_terminal() -> None:
    """What a camera sends is escaped in text."""
    (line,) = _lines(lambda logger: logger.error("gate: said %s", "a\n<3>forged\x1b[31m"), "text")

    assert line.endswith("error    gate: said a\\n<3>forged\\x1b[31m")


def test_a_level_that_is_off_costs_no_line() -> None:
    """`says` answers what `say` would do."""

    def act(logger: logging.Logger) -> None:
        teller = _teller(logger)
        assert not teller.says(logging.INFO)
        teller.say(logging.INFO, "not this")
        teller.fold("key", logging.INFO, "nor this")
        teller.say(logging.ERROR, "this")

    assert len(_lines(act, level="warning")) == 1


def test_libraries_are_routed_here_and_quiet() -> None:
    """Their daily chatter is off, their warnings come through in our form."""

    def act(_logger: logging.Logger) -> None:
        for name in ("uvicorn.access", "uvicorn.error", "paho", "amqtt.broker", "libav.h264"):
            logging.getLogger(name).info("chatter")
        logging.getLogger("uvicorn.error").warning("trouble with %s", SECRET)

    (line,) = _lines(act)

    assert json.loads(line)["message"] == "trouble with ***"


def test_libraries_speak_at_level_debug() -> None:
    """Whoever asks for everything gets everything."""
    assert len(_lines(lambda _: logging.getLogger("paho").debug("detail"), level="debug")) == 1


def test_warnings_and_uncaught_exceptions_become_masked_lines() -> None:
    """Neither Python's warnings nor a thread's traceback bypass the log."""

    def die() -> None:
        raise RuntimeError(f"with {SECRET}")

    def act(_logger: logging.Logger) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            warnings.warn(f"careful with {SECRET}", stacklevel=1)
        thread = threading.Thread(target=die, name="lonely")
        thread.start()
        thread.join()
        error = RuntimeError(SECRET)
        sys.excepthook(RuntimeError, error, None)

    records = [json.loads(line) for line in _lines(act)]

    assert [record["message"] for record in records][1:] == ["lonely: uncaught RuntimeError", "uncaught RuntimeError"]
    assert "careful with ***" in records[0]["message"]
    assert SECRET not in json.dumps(records)


def test_closing_puts_everything_back() -> None:
    """A second run in one process, and tests, begin clean."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before = (list(root.handlers), root.level)
    log = Log("json", "debug", io.StringIO(), Mask(), environ={}).open()
    log.close()
    log.close()

    assert (list(root.handlers), root.level) == before
    assert (sys.excepthook, threading.excepthook) == hooks


def test_the_journal_gets_priorities_instead_of_times(tmp_path: Path) -> None:
    """Where the service manager connected our stream to its journal, each line carries its priority."""
    with (tmp_path / "journal").open("w+") as stream:
        found = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        with Log("auto", "info", stream, Mask(), environ):
            logging.getLogger("a").warning("gate: away")
            _tell_failure(logging.getLogger("a"))
        stream.seek(0)
        lines = stream.read().splitlines()

    assert lines[0] == "<4>gate: away"
    assert all(line.startswith("<3>") for line in lines[1:])
    assert len(lines) > 3


def test_a_file_that_is_not_the_journal_gets_json(tmp_path: Path) -> None:
    """JOURNAL_STREAM inherited by a process whose output was redirected names another stream."""
    with (tmp_path / "log").open("w+") as stream:
        with Log("auto", "info", stream, Mask(), {"JOURNAL_STREAM": "1:2"}):
            logging.getLogger("a").warning("gate: away")
        stream.seek(0)
        assert json.loads(stream.read())["message"] == "gate: away"


def test_a_terminal_without_the_letters_gets_escapes() -> None:
    """A line with a letter that the stream's encoding lacks is written, not lost."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    with Log("text", "info", stream, Mask(), environ={}):
        logging.getLogger("a").warning("café")

    assert raw.getvalue().endswith(b"caf\\xe9\n")


def test_a_stream_that_is_gone_is_not_told_about(capfd: pytest.CaptureFixture[str]) -> None:
    """A closed pipe costs the line, not an unmasked traceback."""
    stream = io.StringIO()
    with Log("text", "info", stream, Mask(), environ={}):
        stream.close()
        logging.getLogger("a").warning("into the void %s", SECRET)

    assert capfd.readouterr().err == ""


def test_an_open_log_takes_on_another_format_and_level() -> None:
    """From the next line on; what a library says follows."""
    stream = io.StringIO()
    with Log("json", "info", stream, Mask([SECRET]), environ={}) as log:
        logging.getLogger("sitewatch").debug("too quiet")
        log.retune("text", "debug")
        logging.getLogger("sitewatch").debug("heard")
        logging.getLogger("paho").info("heard too")
        log.retune("json", "error")
        logging.getLogger("sitewatch").warning("too quiet again")
        logging.getLogger("sitewatch").error(SECRET)
    first, second, last = stream.getvalue().splitlines()

    assert first.endswith("heard")
    assert second.endswith("heard too")
    assert json.loads(last)["level"] == "error"
    assert SECRET not in last
