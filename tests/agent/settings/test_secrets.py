"""Passwords and tokens: where they may come from, and that no output ever holds one."""

from __future__ import annotations

import copy
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.errors import SettingsError
from agent.settings.effective import describe, digest
from agent.settings.load import load_site
from agent.settings.models import SiteSettings
from agent.settings.types import Secret

HIDDEN = "hunter2"
SITE = """\
site: harbour
broker:
  host: localhost
  username: me
  password: PASSWORD
model: motion
cameras: {gate: {source: 'SOURCE'}}
"""


def _load(folder: Path, *, password: str = HIDDEN, source: str = "rtsp://camera/1") -> SiteSettings:
    path = folder / "site.yaml"
    path.write_text(SITE.replace("PASSWORD", password).replace("SOURCE", source), "utf-8")
    environ = {"BROKER": HIDDEN, "CREDENTIALS_DIRECTORY": str(folder)}
    return load_site(path, environ, check_files=False)


def _password(site: SiteSettings) -> Secret | None:
    assert site.broker is not None
    assert site.broker != "embedded"
    return site.broker.password


@pytest.mark.parametrize(
    "written",
    ["hunter2", "'hunter2'", "${BROKER}", "!file broker", "!file ${CREDENTIALS_DIRECTORY}/broker"],
)
def test_sources_of_a_secret(tmp_path: Path, written: str) -> None:
    """A secret stands in the file, in the environment, or in a file of its own, whose line end is no part of it."""
    (tmp_path / "broker").write_text(f"{HIDDEN}\n")
    (tmp_path / "broker").chmod(0o600)

    assert _password(_load(tmp_path, password=written)) == Secret(HIDDEN)


@pytest.mark.parametrize("written", ["0123", "1_000", "12:30", "true", "1e3", "0x1F", "$HOME", "a$b{c}"])
def test_secret_is_taken_as_written(tmp_path: Path, written: str) -> None:
    """A password that looks like a number stays the text it is."""
    assert _password(_load(tmp_path, password=written)) == Secret(written)


def test_null_is_no_secret(tmp_path: Path) -> None:
    """The word null means that there is none."""
    assert _password(_load(tmp_path, password="null")) is None


BAD_SITES = [
    "site: A\nbroker: {host: h, username: u, password: hunter2}\n",
    "broker: {host: h, pasword: hunter2}\n",
    "broker: {host: h, password: [hunter2]}\n",
    "broker: {host: h, password: {hunter2: 1}}\n",
    "broker: {host: h, password: !hunter2 x}\n",
    "broker: {host: h, password: *hunter2}\n",
    "broker: {host: h, password: hunter2${X}}\n",
    "broker: {host: h, password: 'hunter2}\n",
    "broker: {host: h}\nhttp: {token: hunter2: x}\n",
    "broker: {host: 'mqtt://me:hunter2@h'}\n",
    "broker: mqtt://me:hunter2@h\n",
    "http: {port: 'me:hunter2@h'}\n",
    "cameras: {a: {source: 'rtsp://me:hunter2@h:x/'}}\n",
    "cameras: {a: {source: 'rtsp://me:hunter2 @h/'}}\n",
    "cameras: {a: {source: 'rtsp://me:1/hunter2@h/'}}\n",
    "cameras: {a: {source: 'rtsp://me:1#hunter2@h/'}}\n",
    "cameras: {a: {source: 'rstp://me:hunter2@h/'}}\n",
    "cameras: {a: {source: 'rtsp:/me:hunter2@h/'}}\n",
    "cameras: {a: {source: 'me:hunter2@h/stream'}}\n",
    "cameras: {a: {source: 'rtsp://h/user=me&password=hunter2', rtsp_transprt: udp}}\n",
    "cameras: {a: {source: 'rtspsrc user-pw=hunter2 ! fakesink'}}\n",
    "cameras: {a: {source: 'rtsp://me:hunter2@h/', username: me, password: hunter2}}\n",
]


@pytest.mark.parametrize("text", BAD_SITES)
def test_report_holds_no_secret(tmp_path: Path, text: str) -> None:
    """Neither the report nor the exception's chain shows a password, however it was miswritten."""
    path = tmp_path / "site.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError) as raised:
        load_site(path, {})

    assert HIDDEN not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://me:hunter2@camera/1",
        "http://me:hunter2@camera/1?x=y",
        "rtsp://camera/user=me&password=hunter2&channel=1",
        "http://camera/video.cgi?user=me&pwd=hunter2",
        "rtspsrc location=rtsp://me:hunter2@camera/1 ! decodebin ! appsink",
        "rtspsrc location=rtsp://camera/1 user-id=me user-pw=hunter2 ! decodebin ! appsink",
    ],
)
def test_settings_print_no_secret(tmp_path: Path, source: str) -> None:
    """Text, repr, description, dumps and mistakes of pydantic show stars."""
    site = _load(tmp_path, source=source)

    printed = [str(site), repr(site), describe(site), site.model_dump_json(), f"{site.cameras['gate'].source}"]
    printed += [repr(site.model_dump()), repr(site.cameras["gate"].source)]
    with pytest.raises(ValidationError) as raised:
        SiteSettings.model_validate({"site": site, "broker": {"password": HIDDEN}, "cameras": {"a": source}})
    printed.append(str(raised.value))
    assert [text for text in printed if HIDDEN in text] == []
    assert "***" in describe(site)


def test_secret_alone() -> None:
    """A secret is equal to its like, prints as stars, is copied as it is, and is not pickled."""
    secret = Secret("hunter2")

    assert secret.reveal() == HIDDEN
    assert (str(secret), f"{secret}", repr(secret)) == ("***", "***", "Secret('***')")
    assert secret == Secret(HIDDEN)
    assert secret != Secret("hunter3")
    assert secret != HIDDEN
    assert len({secret, Secret(HIDDEN)}) == 1
    assert copy.deepcopy(secret) is secret
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_digest_tells_settings_apart_but_not_passwords(tmp_path: Path) -> None:
    """The digest is stable, follows every value, and cannot be used to guess a password."""
    site = _load(tmp_path)

    assert digest(site) == digest(_load(tmp_path))
    assert len(digest(site)) == 64
    assert digest(site) == digest(_load(tmp_path, password="another"))
    assert digest(site) != digest(_load(tmp_path, password="null"))
    assert digest(site) != digest(_load(tmp_path, source="rtsp://camera/2"))
    assert digest(_load(tmp_path, source="rtsp://a:b@h/1")) == digest(_load(tmp_path, source="rtsp://a:c@h/1"))


def test_description_is_a_site_file(tmp_path: Path) -> None:
    """What `describe` prints loads again, but for the secrets."""
    site = _load(tmp_path, password="null")
    path = tmp_path / "printed.yaml"
    path.write_text(describe(site), "utf-8")

    assert load_site(path, {}, check_files=False) == site
