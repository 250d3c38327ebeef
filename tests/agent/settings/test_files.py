"""Files that a site names are looked at when it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.settings.load import load_site, read_site

SITE = """\
site: harbour
broker: {host: localhost, tls: {ca_file: ca.pem, client_cert_file: c.pem, client_key_file: k.pem}}
model: {path: m.onnx, labels: labels.txt}
cameras:
  gate: {source: clip.mp4, keep_labels: [person]}
  yard: {source: 'rtsps://x/y', tls: {ca_file: ca.pem}}
state_dir: state
events_file: out/events.jsonl
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose every file is there."""
    for name in ("ca.pem", "c.pem", "k.pem", "m.onnx", "clip.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "labels.txt").write_text("person\ncar\n")
    (tmp_path / "out").mkdir()
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def _told(site: Path) -> list[str]:
    return [f"{'.'.join(map(str, mistake.key_path))}: {mistake.found}" for mistake in read_site(site, {})[1]]


def test_paths_start_at_the_site_file(site: Path) -> None:
    """Relative paths are resolved against the folder of the site file, wherever the agent was started."""
    loaded = load_site(Path(os.path.relpath(site)), {})

    assert loaded.model != "motion"
    assert loaded.model.path.is_file()
    assert loaded.model.path.is_absolute()
    assert loaded.model.labels == loaded.model.path.parent / "labels.txt"
    assert Path(loaded.cameras["gate"].source.location).is_file()
    assert Path(loaded.events_file).parent.is_dir()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("m.onnx", ["model.path"]),
        ("labels.txt", ["model.labels"]),
        ("clip.mp4", ["cameras.gate.source"]),
        ("ca.pem", ["broker.tls.ca_file", "cameras.yard.tls.ca_file"]),
        ("c.pem", ["broker.tls.client_cert_file"]),
        ("k.pem", ["broker.tls.client_key_file"]),
    ],
)
def test_missing_folder_and_empty_are_told(site: Path, name: str, keys: list[str]) -> None:
    """A file that is missing, a folder or empty is a mistake at its key."""
    file = site.parent / name
    file.unlink()
    assert sorted(_told(site)) == [f"{key}: {file}: no such file" for key in keys]

    file.mkdir()
    assert sorted(_told(site)) == [f"{key}: {file}: not a file" for key in keys]

    file.rmdir()
    file.touch()
    assert sorted(_told(site)) == [f"{key}: {file}: the file is empty" for key in keys]


@pytest.mark.parametrize("content", [b"\xff\xfe\0", b"\n\n", b"\0\1\2"], ids=["UTF-16", "blank", "binary"])
def test_labels_that_are_no_text(site: Path, content: bytes) -> None:
    """A labels file must hold text."""
    (site.parent / "labels.txt").write_bytes(content)

    assert _told(site) == [f"model.labels: {site.parent / 'labels.txt'}: not UTF-8 text with a label a line"]


def test_label_that_is_not_in_the_labels_file(site: Path) -> None:
    """A kept label that the model does not have would silently keep nothing."""
    (site.parent / "labels.txt").write_text("persons\ncar\n")

    (mistake,) = read_site(site, {})[1]
    assert mistake.key_path == ("cameras", "gate", "keep_labels")
    assert (mistake.line, mistake.hint) == (5, "did you mean persons?")


def test_folders_are_looked_at(site: Path) -> None:
    """A state folder that is a file, and an events file in no folder, are mistakes."""
    (site.parent / "state").touch()
    (site.parent / "out").rmdir()

    assert _told(site) == [
        f"state_dir: {site.parent / 'state'}: not a folder",
        f"events_file: {site.parent / 'out'}: no such folder",
    ]


def test_name_too_long_is_told(site: Path) -> None:
    """What the system refuses to look at is a mistake, not a crash."""
    site.write_text(SITE.replace("m.onnx", "m" * 300).replace("state_dir: state", f"state_dir: {'s' * 300}"))

    assert [line.split(":")[0] for line in _told(site)] == ["model.path", "state_dir"]


def test_shape_can_be_checked_without_files(tmp_path: Path) -> None:
    """A site can be checked on a machine that does not have its files."""
    path = tmp_path / "site.yaml"
    path.write_text(SITE)

    assert load_site(path, {}, check_files=False).site == "harbour"
