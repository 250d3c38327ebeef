"""The payload schemas as validators, formats checked."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).resolve().parents[2] / "config" / "payloads"


@cache
def validator(name: str) -> Draft202012Validator:
    """Of `event`, `detections`, `site_status` or `camera_status`."""
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def of_topic(topic: str) -> Draft202012Validator:
    """For the messages of a topic `<base>/<site>/...`."""
    last, depth = topic.rsplit("/", 1)[1], topic.count("/")
    return validator(
        {"events": "event", "detections": "detections"}.get(last, f"{'site' if depth == 2 else 'camera'}_status")
    )
