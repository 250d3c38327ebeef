"""Whatever stands in a site file, it is read, or refused as our own error with exit status 78 and without a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzz.effort import effort
from fuzz.mutation import spoilt, spoilt_tree
from fuzz.silence import SECRET, assert_silent
from hypothesis import given
from hypothesis import strategies as st

from agent.app.exit_status import exit_code
from agent.errors import SettingsError
from agent.settings.effective import digest
from agent.settings.load import load_site
from agent.settings.secrets_in_use import secrets_of

EXAMPLE = (Path(__file__).parents[2] / "config" / "sites" / "example.yaml").read_bytes()
SITE: dict[str, Any] = {
    "site": "harbour",
    "broker": {
        "host": "broker.example.org", "username": "box", "password": SECRET, "keepalive": "30s",
        "tls": {"ca_file": "ca.pem", "verify": "full"},
    },
    "model": {"path": "m.onnx", "labels": ["person", "car"], "input_size": "640x480", "mean": [1.0, 2.0, 3.0]},
    "cameras": {
        "gate": {"source": "rtsp://10.0.0.2/stream1", "username": "u", "password": SECRET, "detect_fps": 5},
        "yard": {
            "source": "clips/yard.mp4", "playback": "loop", "keep_labels": ["person"],
            "ground_points": [
                {"image": [0.1, 0.9], "ground": [0.0, 0.0]}, {"image": [0.85, 0.9], "ground": [6.0, 0.0]},
                {"image": [0.7, 0.4], "ground": [6.0, 9.0]}, {"image": [0.3, 0.4], "ground": [0.0, 9.0]},
            ],
        },
    },
    "detection": {"score_thresholds": {"person": 0.3}, "iou_threshold": 0.6},
    "tracking": {"lost_patience": "2s", "keep_over_restart": "on"},
    "events": {"detections": 2.5, "update_every": "10s"},
    "outbox": {"max_size": "256MiB", "max_age": "7d"},
    "http": {"host": "127.0.0.1", "port": 9464, "token": SECRET},
    "log": {"format": "json", "level": "info"},
}  # fmt: skip
SECRET_KEYS = ("password", "token")
TOKENS = (
    b"\n", b"\t", b"  ", b"- ", b": ", b"&a ", b"*a", b"<<: *a", b"!file x", b"!!python/object/apply:os.system [ls]",
    b"${HOME}", b"${", b"}", b'"', b"'", b"{", b"[", b"|\n", b">\n", b"---\n", b"...\n", b"#", b"%YAML 9\n", b"? ",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xff\xfe", b"null", b"~", b".inf", b"1e999", b"0x1f", b"9" * 30, b"rtsp://a:b@c",
    b"cameras:", b"site:", b"broker:",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


def read(folder: Path, content: bytes, environ: dict[str, str] | None = None) -> str:
    """What is said of a site file, whether it can be used or not."""
    path = folder / "site.yaml"
    path.write_bytes(content)
    try:
        site = load_site(path, environ or {}, check_files=False)
    except SettingsError as error:
        assert_silent(error, repr(error))
        return str(error)
    list(secrets_of(site))
    said = f"{site!r} {site} {digest(site)} {site.model_dump(mode='json')}"
    assert_silent(said)
    return said


def test_it_is_refused_with_the_status_of_a_wrong_configuration() -> None:
    """What is raised here ends the program with 78, which a service manager does not start again."""
    assert exit_code(SettingsError("wrong")) == 78


def test_the_seeds_are_good(folder: Path) -> None:
    """What is spoilt begins as something that is read, with its secrets in it."""
    assert "harbour" in read(folder, EXAMPLE)
    assert "***" in read(folder, yaml.safe_dump(SITE).encode())


@effort(250)
@given(content=spoilt(EXAMPLE.replace(b"\n  #", b"\n  ").replace(b"\n    #", b"\n    "), TOKENS))
def test_a_spoilt_text(folder: Path, content: bytes) -> None:
    """Edits anywhere, down to single bytes."""
    read(folder, content)


@effort(250)
@given(site=spoilt_tree(SITE, spared=SECRET_KEYS))
def test_a_spoilt_structure(folder: Path, site: dict[str, Any]) -> None:
    """Good YAML with wrong things in it; no secret is told whatever is wrong around it."""
    read(folder, yaml.safe_dump(site, allow_unicode=True).encode("utf-8", "surrogatepass"))


@effort(150)
@given(content=st.binary(max_size=300))
def test_any_bytes(folder: Path, content: bytes) -> None:
    """No text at all, perhaps."""
    read(folder, content)


@effort(150)
@given(data=st.data())
def test_a_spoilt_address(folder: Path, data: st.DataObject) -> None:
    """An address with a password in it is damaged outside the password; the password stays inside."""
    scheme = data.draw(st.sampled_from(("rtsp://", "rtsps://", "http://", "rtsp:/", "rtps://", "RTSP://", "x://")))
    tail = data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
    user = data.draw(st.sampled_from(("", "u", "a%20b")))
    masked = f"{scheme}{user}:kw8%2FZq%3A3v%40T%257x@cam{tail}"
    site = {**SITE, "cameras": {"gate": {"source": masked}}}
    read(folder, yaml.safe_dump(site, allow_unicode=True).encode())
