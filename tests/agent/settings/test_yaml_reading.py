"""What YAML's traps become, and how files share parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings.load import load_site, read_site
from agent.settings.models import SiteSettings, TlsSettings, TlsVerification
from agent.settings.yaml_reader import Place, plain_value, read_document

REST = "site: a\nmodel: motion\ncameras: {g: {source: 0}}\n"


def _load(folder: Path, text: str) -> SiteSettings:
    path = folder / "site.yaml"
    path.write_text(text, "utf-8")
    return load_site(path, {}, check_files=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, None) for text in ("~", "null", "Null", "NULL")],
        *[(text, text == "true") for text in ("true", "false")],
        *[(text, text) for text in ("on", "off", "yes", "no", "On", "Y", "12:30", "1_000", "017", "0o17", "0x1F")],
        *[(text, text) for text in (".inf", ".nan", "1.2.3", "3.1.1", "2024-01-01", "=", "+", ".", "1.", "e3")],
        *[(text, float(text)) for text in ("1.5", "-0.5", ".5", "1e3", "1.5E-3")],
        *[(text, int(text)) for text in ("0", "-7", "+7", "8883")],
    ],
)
def test_plain_value(text: str, value: object) -> None:
    """Only true and false are booleans, only decimal numbers numbers; the rest stays the text that was written."""
    read = plain_value(text)

    assert read == value
    assert type(read) is type(value)


def test_off_is_a_word(tmp_path: Path) -> None:
    """`off` without quotes is the choice, not a boolean."""
    site = _load(tmp_path, REST + "broker: {host: h, tls: {verify: off}, protocol: 5}\nevents: {detections: off}\n")

    assert site.events.detections == "off"
    assert site.broker is not None
    assert site.broker != "embedded"
    assert site.broker.protocol == "5"
    assert site.broker.tls == TlsSettings(verify=TlsVerification.OFF)


def test_empty_section_has_its_defaults(tmp_path: Path) -> None:
    """A section whose keys are all commented out is as good as none, and an empty tls still encrypts."""
    site = _load(tmp_path, REST + "broker:\n  host: h\n  tls:\n    # nothing\nlog:\ndetection: null\n")

    assert site.broker is not None
    assert site.broker != "embedded"
    assert site.broker.tls == TlsSettings()
    assert site.log.level == "info"


def test_cameras_share_keys_by_anchor(tmp_path: Path) -> None:
    """A merge takes what a camera does not say itself, from an ignored x- key or another camera."""
    site = _load(
        tmp_path,
        "site: a\nmodel: motion\nbroker: embedded\n"
        "x-slow: &slow {detect_fps: 1, open_timeout: 20s}\n"
        "cameras:\n"
        "  a: &a {<<: *slow, source: 0, detect_fps: 2}\n"
        "  b: {<<: [*a, *slow], source: 1}\n",
    )

    assert (site.cameras["a"].detect_fps, site.cameras["b"].detect_fps) == (2.0, 2.0)
    assert site.cameras["b"].open_timeout == 20.0
    assert site.cameras["b"].source.location == "1"


def test_mistake_in_a_shared_part_is_told_where_it_stands(tmp_path: Path) -> None:
    """The line is that of the anchor, the key path that of the camera."""
    path = tmp_path / "site.yaml"
    path.write_text("x-all: &all\n  detect_fps: fast\n" + REST.replace("{source: 0}", "{<<: *all, source: 0}"))

    (mistake,) = [mistake for mistake in read_site(path, {})[1] if mistake.key_path != ("broker",)]
    assert (mistake.line, mistake.key_path) == (2, ("cameras", "g", "detect_fps"))


def test_keys_keep_their_place(tmp_path: Path) -> None:
    """Every key path has line and column."""
    path = tmp_path / "site.yaml"
    path.write_text("a:\n  b: [1,\n    {c: d}]\n")

    document = read_document(path, frozenset(), lambda *_: None)

    assert document.value == {"a": {"b": [1, {"c": "d"}]}}
    assert document.places["a",] == Place(1, 1)
    assert document.places["a", "b"] == Place(2, 3)
    assert document.places["a", "b", 1, "c"] == Place(3, 6)
    assert document.line_of(("a", "x", "y")) == 1
