"""Every kind of mistake in a site file: what is told, and at which line. The cases are in mistakes.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings.load import load_site, read_site

MARK = "# <-"
PLACES = ("top", "broker", "model", "camera")
SITE = {
    "site": "site: harbour",
    "top": "TOP",
    "broker": "broker:\n  host: localhost\n  BROKER",
    "model": "model:\n  path: m.onnx\n  MODEL",
    "cameras": "cameras:\n  gate:\n    source: rtsp://camera/1\n    CAMERA",
}
ENVIRON = {"SET": "hunter2", "EMPTY": ""}


@dataclass(frozen=True)
class Case:
    """One site file and what its report must tell, "" where it has no mistake."""

    name: str
    text: str
    tells: str

    @property
    def line(self) -> int:
        """The line that must be told."""
        return next(number for number, line in enumerate(self.text.splitlines(), 1) if MARK in line)


def _cases() -> list[Case]:
    _, *blocks = (Path(__file__).parent / "mistakes.txt").read_text("utf-8").split("\n\n")
    return [_case(block.strip().splitlines()) for block in blocks]


def _case(lines: list[str]) -> Case:
    sections = dict(SITE)
    for line in lines[1:]:
        place, _, written = line.partition("| ")
        if place in PLACES:
            sections = {key: text.replace(place.upper(), f"{written} {MARK}") for key, text in sections.items()}
    whole = [line.removeprefix("file| ") for line in lines if line.startswith("file| ")]
    for key in [line.split(":")[0] for line in whole]:
        sections.pop(key, None)
    text = "\n".join([*sections.values(), *whole])
    for place in PLACES:
        text = text.replace(place.upper(), "")
    tells = "".join(line[2:] for line in lines if line.startswith("> "))
    return Case(name=lines[0][2:], text=text + "\n", tells=tells)


CASES = _cases()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that cases name."""
    for name, content, mode in (("empty", b"", 0o600), ("binary", b"\xff\xfe", 0o600), ("open", b"x", 0o644)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake_is_told(folder: Path, case: Case) -> None:
    """One mistake gives one line, with file, line, key, what was found and what is allowed."""
    path = folder / "site.yaml"
    path.write_text(case.text, "utf-8")

    _, mistakes = read_site(path, ENVIRON, check_files=False)

    if not case.tells:
        assert mistakes == []
        return
    assert [(m.line, case.tells in str(m)) for m in mistakes] == [(case.line, True)], "\n".join(map(str, mistakes))
    assert str(mistakes[0]).startswith(f"{path}:{case.line}: ")


def test_all_mistakes_are_in_one_report(tmp_path: Path) -> None:
    """Wrong types, unknown keys, broken rules, missing files and unset variables are told together, in order."""
    path = tmp_path / "site.yaml"
    path.write_text(
        "site: Harbour\n"
        "model: {path: gone.onnx}\n"
        "broker:\n"
        "  host: localhost\n"
        "  prot: 1\n"
        "  username: me\n"
        "  password: ${UNSET}\n"
        "tracking: {low_threshold: 0.8}\n"
        "cameras:\n"
        "  gate: {source: gone.mp4, retry_min: 2m}\n"
        "  gate: {source: 1}\n"
        "http: {port: many}\n"
    )

    with pytest.raises(SettingsError) as raised:
        load_site(path, {})

    first, *lines = str(raised.value).splitlines()
    assert first == f"9 mistakes in {path}"
    told = [line.removeprefix(f"  {path}:").split(":")[:2] for line in lines]
    assert [(int(line), key.strip()) for line, key in told] == [
        (1, "site"),
        (2, "model.path"),
        (5, "broker.prot"),
        (7, "broker.password"),
        (8, "tracking.low_threshold"),
        (10, "cameras.gate.retry_min"),
        (10, "cameras.gate.source"),
        (11, "cameras.gate"),
        (12, "http.port"),
    ]


def test_missing_keys_are_told_together(tmp_path: Path) -> None:
    """A file that says almost nothing is told everything it needs."""
    path = tmp_path / "site.yaml"
    path.write_text("log: {level: info}\n")

    _, mistakes = read_site(path, {})

    assert {mistake.key_path for mistake in mistakes} == {("site",), ("model",), ("cameras",), ("broker",)}


def test_misspelt_required_key_is_one_mistake(tmp_path: Path) -> None:
    """A key that is misspelt is not also told as missing, nor are the rules that ask for it."""
    path = tmp_path / "site.yaml"
    path.write_text("site: a\nmodel: motion\nbrokr: embedded\ncamera: {a: {source: 0}}\n")

    _, mistakes = read_site(path, {})

    assert [(mistake.line, mistake.hint) for mistake in mistakes] == [
        (3, "did you mean broker?"),
        (4, "did you mean cameras?"),
    ]
