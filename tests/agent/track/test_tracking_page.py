"""The page on tracking names every parameter, with the default it has."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agent.settings.models import CameraSettings, TrackingSettings
from trackers import ByteTrackSettings
from trackers.bytetrack.noise import NoiseWeights

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "tracking.md").read_text(encoding="utf-8")
LIBRARY, SITE_FILE = PAGE.split("### In the site file")
DEFAULTS = {field.name: field.default for field in fields(ByteTrackSettings) if field.default is not MISSING}
OF_A_CAMERA = ("detect_fps", "camera_motion", "ground_points")  # its keys that change how things are tracked
ELSEWHERE = ("noise",)  # its default is a table of its own


def row_of(name: str, text: str) -> list[str]:
    """Cells of the table row that begins with this name."""
    rows = re.findall(rf"^\| `{name}` \|(.*)\|$", text, re.MULTILINE)
    assert len(rows) == 1, f"{name} has {len(rows)} rows"
    return [cell.strip() for cell in rows[0].split("|")]


def test_every_parameter_has_a_default_here() -> None:
    """So the rows below are all there are."""
    assert list(DEFAULTS) == [field.name for field in fields(ByteTrackSettings)]


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_parameter_is_told_with_its_default(name: str) -> None:
    """Unit, default, sensible range and effect."""
    default = DEFAULTS[name]
    unit, told, sensible, effect = row_of(name, LIBRARY)

    assert name in ELSEWHERE or told == str(default.value if isinstance(default, Enum) else default)
    assert unit
    assert sensible
    assert effect.endswith(".")


@pytest.mark.parametrize("name", [field.name for field in fields(NoiseWeights)])
def test_every_noise_is_told_with_both_sets(name: str) -> None:
    """To the number; fractions are computed."""
    _, default, reference, _ = row_of(name, LIBRARY)

    assert numbers(default) == pytest.approx(as_numbers(getattr(ByteTrackSettings().noise, name)))
    assert numbers(reference) == pytest.approx(as_numbers(getattr(ByteTrackSettings.reference().noise, name)))


def numbers(cell: str) -> list[float]:
    """`1/20, 0.01` as numbers; True and False as 1 and 0."""
    cell = cell.replace("True", "1").replace("False", "0")
    parts = [part.split("/") for part in cell.split(",")]
    return [float(part[0]) / float(part[1] if len(part) > 1 else 1) for part in parts]


def as_numbers(value: tuple[float, ...] | float) -> list[float]:
    return [float(each) for each in (value if isinstance(value, tuple) else (value,))]


@pytest.mark.parametrize("name", [*TrackingSettings.model_fields, *OF_A_CAMERA])
def test_every_key_of_the_site_file_is_told_with_its_default(name: str) -> None:
    """As it would be written there."""
    default = {**TrackingSettings.model_fields, **CameraSettings.model_fields}[name].default
    told = row_of(name, SITE_FILE)[1]

    assert told == ("null" if default is None else str(default.value if isinstance(default, Enum) else default))


def test_links_lead_somewhere() -> None:
    """Headings and files that the page points to are there."""
    headings = {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-")
                for line in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}  # fmt: skip
    links = re.findall(r"\]\(([^)]+)\)", PAGE)

    assert {link[1:] for link in links if link.startswith("#")} <= headings
    assert [link for link in links if not link.startswith("#") and not (DOCS / link).is_file()] == []


def test_the_picture_is_drawn_with_text() -> None:
    """Well-formed, with a title, readable in light and dark themes."""
    text = (DOCS / "track-life.svg").read_text(encoding="utf-8")
    words = " ".join(ET.fromstring(text).itertext())  # noqa: S314 - our own file

    assert "prefers-color-scheme: dark" in text
    for stage in ("tentative", "followed", "lost", "ended", "The life of a track"):
        assert stage in words
