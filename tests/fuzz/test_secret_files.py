"""Whatever a secret's file or variable holds, it is taken whole or refused, and never told."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.effort import effort
from fuzz.silence import SECRET, assert_silent
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import SettingsError
from agent.settings.load import load_site

SITE = "site: a\nmodel: motion\nbroker: {host: h, username: u, password: %s}\ncameras: {a: {source: 0}}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


def assert_not_told(folder: Path, written: str, environ: dict[str, str]) -> None:
    """It is the password, or the error does not hold it."""
    path = folder / "site.yaml"
    path.write_text(SITE % written)
    try:
        site = load_site(path, environ)
    except SettingsError as error:
        assert_silent(error)
    else:
        assert_silent(site, repr(site))
        assert site.broker is not None
        assert site.broker.password is not None
        assert SECRET in site.broker.password.reveal()


@effort(150)
@given(before=st.binary(max_size=100), after=st.binary(max_size=100))
def test_any_file(folder: Path, before: bytes, after: bytes) -> None:
    """`!file`: text, binary, many lines."""
    file = folder / "secret"
    file.write_bytes(before + SECRET.encode() + after)
    file.chmod(0o600)
    assert_not_told(folder, "!file secret", {})


@effort(150)
@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_any_variable(folder: Path, before: str, after: str) -> None:
    """`${NAME}`: whatever the environment holds."""
    assert_not_told(folder, '"${PASSWORD}"', {"PASSWORD": f"{before}{SECRET}{after}"})
