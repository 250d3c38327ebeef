"""What was found out about a bundle, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from agent.app.model.verify.findings import Finding, OnEngine


def as_text(finding: Finding) -> Iterator[str]:
    """One line a subject, then one an engine."""
    manifest = finding.manifest
    text = (
        ""
        if manifest.licence_text is None
        else f", with its text of {manifest.parts[manifest.licence_text].size} bytes"
    )
    thresholds = manifest.thresholds
    yield f"bundle       {manifest.name}, sha256 {finding.sha256}"
    yield f"parts        {len(manifest.parts)}, each with the SHA-256 and size that the manifest says"
    yield f"model        {', '.join(model.precision for model in manifest.models)}; {finding.plan}"
    yield f"licence      {manifest.licence}{text}"
    yield (
        f"thresholds   score {thresholds['score_threshold']:g}, overlap {thresholds['iou_threshold']:g}, "
        f"{thresholds['max_detections']} detections at most"
    )
    yield f"calibration  {'none' if finding.calibration is None else f'{finding.calibration} pictures'}"
    yield f"golden       {len(manifest.pictures)} pictures"
    yield from (_line(each) for each in finding.engines)


def as_json(finding: Finding) -> dict[str, object]:
    """The same."""
    manifest = finding.manifest
    return {
        "bundle": str(finding.path),
        "sha256": finding.sha256,
        "bytes": finding.size,
        "name": manifest.name,
        "licence": manifest.licence,
        "labels": finding.labels,
        "feed": dict(manifest.feed),
        "thresholds": dict(manifest.thresholds),
        "calibration": finding.calibration,
        "golden": len(manifest.pictures),
        "parts": {name: {"sha256": part.sha256, "bytes": part.size} for name, part in manifest.parts.items()},
        "packed_with": dict(manifest.packed_with),
        "engines": [_row(each) for each in finding.engines],
    }


def _line(each: OnEngine) -> str:
    if each.verified is None:
        return f"  - {each.packed} on {each.use.name}: {each.failure}"
    sign = "+" if each.verified.difference.is_within else "-"
    return f"  {sign} {each.packed} on {each.verified.engine}: {each.verified.difference.text}"


def _row(each: OnEngine) -> dict[str, object]:
    verified = each.verified
    row: dict[str, object] = {"precision": each.packed, "engine": each.use.name, "failure": each.failure or None}
    if verified is None:
        return {**row, "is_within": None}
    measured = {} if verified.measured is None else asdict(verified.measured)
    row["engine"] = verified.engine
    return {**row, "computed_with": verified.precision, "is_within": verified.difference.is_within, **measured}
