"""From the options to what shall be packed."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

from agent import __version__
from agent.app.engine_exam import standard_pictures
from agent.app.model.evaluate.bars import Bars
from agent.detect.detection_plan import plan_model
from agent.errors import ToolInputError
from agent.models.bundle.arrays import Pictures
from agent.models.bundle.bundle import is_bundle
from agent.models.bundle.manifest import FEED_KEYS, LICENCE, MODEL_NAME, THRESHOLD_KEYS
from agent.models.bundle.packing import Contents
from agent.models.bundle.picture_sets import calibration_set, golden_pictures
from agent.settings.load import load_site
from agent.settings.models import DetectionSettings, ModelSettings, SiteSettings

LARGEST_LICENCE_BYTES = 1 << 20


def asked_for(options: argparse.Namespace) -> Contents:
    """Read everything but the models.

    Raises:
        SitewatchError: an input or an option cannot be used.
    """
    first: Path = options.models[0]
    if bundles := [path for path in options.models if is_bundle(path)]:
        raise ToolInputError(f"{bundles[0]}: is a bundle already; name the ONNX model")
    site = None if options.site is None else load_site(options.site, os.environ, check_files=False)
    settings = _settings(options, first, site)
    detection = _detection(options, site)
    return Contents(
        name=_matching("--name", options.name or first.stem, MODEL_NAME, "letters, digits, _ . and -"),
        models=tuple(options.models),
        settings=settings,
        detection=detection,
        pictures=golden_pictures(options.images) or standard_pictures(),
        licence=_matching("--licence", options.licence, LICENCE, "an SPDX expression, or LicenseRef-NAME"),
        licence_text=None if options.licence_file is None else _licence(options.licence_file),
        calibration=_calibration(options, settings, detection),
        packed_with={"sitewatch": __version__},
    )


def _settings(options: argparse.Namespace, path: Path, site: SiteSettings | None) -> ModelSettings:
    said: dict[str, Any] = {"path": path}
    if site is not None and isinstance(site.model, ModelSettings):
        said.update({key: getattr(site.model, key) for key in ("labels", *FEED_KEYS)})
    size = options.input_size
    given = {"labels": options.labels, "input_size": int(size) if size and size.isdecimal() else size}
    given["family"] = None if options.family == "auto" else options.family
    said.update({key: value for key, value in given.items() if value is not None})
    try:
        return ModelSettings.model_validate(said)
    except ValueError as error:
        raise ToolInputError(f"--input-size: found {options.input_size}; allowed is a size such as 640x480") from error


def _detection(options: argparse.Namespace, site: SiteSettings | None) -> DetectionSettings:
    said = {} if site is None else {key: getattr(site.detection, key) for key in THRESHOLD_KEYS}
    if options.score_threshold is not None:
        if not 0.0 <= options.score_threshold <= 1.0:
            raise ToolInputError(f"--score-threshold: found {options.score_threshold}; allowed is 0 to 1")
        said["score_threshold"] = options.score_threshold
    return DetectionSettings.model_validate(said)


def _calibration(options: argparse.Namespace, settings: ModelSettings, detection: DetectionSettings) -> Pictures | None:
    if options.calibration is None:
        return None
    plan = plan_model(settings.path, settings, detection)
    with Bars("pictures") as bars:
        return calibration_set(
            options.calibration,
            plan,
            options.calibration_limit,
            lambda done, total: bars.at("calibration", done, total),
        )


def _licence(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LICENCE_BYTES + 1)
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolInputError(f"{path}: a licence's text must be UTF-8") from error
    except OSError as error:
        raise ToolInputError(f"{path}: the licence's text cannot be read: {error.strerror}") from error
    if not content.strip() or len(content) > LARGEST_LICENCE_BYTES:
        raise ToolInputError(f"{path}: {len(content)} bytes are no licence's text; at most {LARGEST_LICENCE_BYTES}")
    return content


def _matching(option: str, given: str, pattern: re.Pattern[str], allowed: str) -> str:
    if pattern.fullmatch(given) is None:
        raise ToolInputError(f"{option}: found {given!r}; allowed: {allowed}")
    return given
