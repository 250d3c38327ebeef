"""The digest over what decides the results: it changes with them, and with nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
from batches.batching import site_of, site_of_squares
from models.bundles import make_bundle
from models.square_detectors import build_detector

from agent.app.batch.clips import Clip
from agent.app.batch.deciding import deciding_digest
from agent.app.batch.site import batch_site

ASKED = {
    "model": None, "labels": None, "score_threshold": None, "jobs": None, "batch": None, "sessions": None,
    "mot": False, "no_video": False,
}  # fmt: skip


def digest(site: Path, **asked: object) -> str:
    """Of a run with these options."""
    options = argparse.Namespace(**{**ASKED, "site": site, **asked})
    return deciding_digest(batch_site(options, Clip(Path("/clips/gate.mp4"), "gate", "gate")), options)


@pytest.mark.parametrize("asked", [{"mot": True}, {"no_video": True}, {"score_threshold": 0.5}, {"model": "motion"}])
def test_it_changes_with_what_is_asked_for(tmp_path: Path, asked: dict[str, object]) -> None:
    """Other outputs, thresholds or models."""
    site = site_of_squares(tmp_path)

    assert digest(site, **asked) != digest(site)


def test_it_does_not_change_with_how_it_is_done(tmp_path: Path) -> None:
    """How many at once, and where the model lies."""
    site = site_of_squares(tmp_path)
    before = digest(site)
    (tmp_path / "squares.onnx").rename(tmp_path / "elsewhere.onnx")

    assert digest(site, model=str(tmp_path / "elsewhere.onnx"), batch=4, sessions=2, jobs=3) == before


def change_the_model(folder: Path) -> None:
    """Of the same name."""
    build_detector("yolov8", folder / "squares.onnx", side_px=32)


def change_the_labels(folder: Path) -> None:
    """Of the same name."""
    (folder / "labels.txt").write_text("rot\nblau\n")


@pytest.mark.parametrize("change", [change_the_model, change_the_labels])
def test_it_changes_with_the_files(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """With what is in them."""
    site_of_squares(tmp_path)
    (tmp_path / "labels.txt").write_text("red\nblue\n")
    site = site_of(tmp_path / "squares.onnx", tmp_path, labels=str(tmp_path / "labels.txt"))
    before = digest(site)
    change(tmp_path)

    assert digest(site) != before


def test_a_bundle_counts_as_what_is_in_it(tmp_path: Path) -> None:
    """Another licence is another bundle; where it lies makes no difference."""
    for name, licence in (("one", "MIT"), ("other", "Apache-2.0"), ("copy", "MIT")):
        (tmp_path / name).mkdir()
        make_bundle(tmp_path / name / "squares.swmodel", licence=licence)
    one, other, copy = (
        digest(site_of(tmp_path / name / "squares.swmodel", tmp_path)) for name in ("one", "other", "copy")
    )

    assert one == copy != other
