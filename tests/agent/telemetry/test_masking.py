"""No credential leaves the process, however it is written."""

from __future__ import annotations

import pytest

from agent.telemetry.masking import Mask, mask_addresses


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("rtsp://admin:secret@cam/1", "rtsp://admin:***@cam/1"),
        ("open rtsp://admin:secret@cam:554/1?x=1 failed", "open rtsp://admin:***@cam:554/1?x=1 failed"),
        ("RTSP://admin:se@cr/et@cam/1", "RTSP://admin:***@cam/1"),
        ("rtsp://:secret@cam/1", "rtsp://:***@cam/1"),
        ("mqtts://u:p%40ss@broker and http://v:q@w", "mqtts://u:***@broker and http://v:***@w"),
        ("'rtsp://u:p@cam', 'rtsp://u:q@cam'", "'rtsp://u:***@cam', 'rtsp://u:***@cam'"),
        ("rtsp://u:123@cam/1", "rtsp://u:***@cam/1"),
        ("http://cam/video?user=admin&password=secret&fps=5", "http://cam/video?user=admin&password=***&fps=5"),
        ("http://cam/video?token=abc", "http://cam/video?token=***"),
        ("Authorization: Basic YWRtaW46c2VjcmV0", "Authorization: Basic ***"),
        ("{'authorization': 'Bearer abc.def'}", "{'authorization': 'Bearer ***'}"),
        ('Authorization: Digest username="a", response="b"\nCSeq: 3', "Authorization: Digest ***"),
    ],
)
def test_credentials_in_their_usual_places_are_stars(text: str, masked: str) -> None:
    """Addresses, queries and headers keep everything but the secret."""
    assert mask_addresses(text).split('"')[0].split("\n")[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin@cam/1",
        "http://127.0.0.1:9464/metrics",
        "http://host:80/mail@example.org",
        "http://[::1]:9464/a@b",
        "16:30: mail me@example.org",
        "gate: password refused; token wanted",
        "Authorization: missing",
        "",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    """Masking does not eat what an operator needs."""
    assert Mask()(text) == text


@pytest.mark.parametrize(
    "secret", ["hunter2hunter2", 'a"b\\c', "pä$$ wörd", "p@ss/w:rd", "new\nline", "x" * 500, "(.*)", "ünïcödé"]
)
@pytest.mark.parametrize("write", [str, repr, ascii, lambda secret: f"'{secret}'", lambda secret: secret * 2])
def test_a_known_secret_is_stars_wherever_it_stands(secret: str, write: object) -> None:
    """As it is, as Python writes it, twice in a row."""
    assert callable(write)
    text = Mask([secret])(f"said {write(secret)}.")

    assert secret not in text
    assert ascii(secret)[1:-1] not in text
    assert "***" in text


def test_a_short_secret_does_not_eat_ordinary_words() -> None:
    """Three letters are masked where they stand alone."""
    mask = Mask(["cam"])

    assert mask("camera gate: password cam refused (cam)") == "camera gate: password *** refused (***)"


def test_an_empty_secret_masks_nothing() -> None:
    """No password set is no secret."""
    assert Mask(["", "  "])("gate: opened") == "gate: opened"


def test_a_secret_inside_another_does_not_uncover_the_rest() -> None:
    """The longest goes first."""
    assert Mask(["pass", "password1"])("password1 pass") == "*** ***"


def test_secrets_may_be_added_later() -> None:
    """A token read from a file after the log began is masked from then on."""
    mask = Mask(["first-secret"])
    mask.add("second-secret")

    assert mask("first-secret second-secret") == "*** ***"
