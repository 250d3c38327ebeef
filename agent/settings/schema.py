"""The JSON Schema of site files, for editors: `python -m agent.settings.schema` writes config/site.schema.json."""

from __future__ import annotations

import json
from pathlib import Path

from agent.settings.models import SiteSettings

SCHEMA_FILE = Path(__file__).parents[2] / "config" / "site.schema.json"


def site_schema() -> str:
    """The schema as text, the same every time."""
    schema = SiteSettings.model_json_schema(mode="validation")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "sitewatch site file"}
    # Top-level x- keys are ignored: they hold what anchors share.
    patterns: dict[str, object] = {"patternProperties": {"^x-": {}}}
    return json.dumps({**head, **schema, **head, **patterns}, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schema beside the example sites."""
    if not SCHEMA_FILE.parent.is_dir():
        raise SystemExit(f"{SCHEMA_FILE.parent}: no such folder; the schema is written in a checkout")
    SCHEMA_FILE.write_text(site_schema(), "utf-8")


if __name__ == "__main__":
    main()
