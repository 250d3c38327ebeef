"""The example sites and the JSON Schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from agent.settings.load import load_site
from agent.settings.models import SiteSettings
from agent.settings.schema import SCHEMA_FILE, site_schema

SITES = SCHEMA_FILE.parent / "sites"
EXAMPLE = (SITES / "example.yaml").read_text("utf-8")
COMMENTED_KEY = re.compile(r"^( *)#([a-z_]+: .*)$", re.MULTILINE)
COMMENTED = [match[0] for match in COMMENTED_KEY.finditer(EXAMPLE)]


def _load(folder: Path, text: str) -> SiteSettings:
    site = folder / "site.yaml"
    site.write_text(text, "utf-8")
    return load_site(site, {}, check_files=False)


def _schema_keys() -> set[str]:
    schema = json.loads(site_schema())
    records = [schema, *schema["$defs"].values()]
    return {key for record in records for key in record.get("properties", {})}


@pytest.mark.parametrize("name", ["minimal.yaml", "example.yaml"])
def test_examples_load(name: str) -> None:
    """Both examples are site files without a mistake in shape."""
    assert load_site(SITES / name, {}, check_files=False).site == "harbour"


def test_minimal_has_ten_lines() -> None:
    """The minimal site is as short as promised."""
    assert len((SITES / "minimal.yaml").read_text("utf-8").splitlines()) == 10


@pytest.mark.parametrize("name", ["minimal.yaml", "example.yaml"])
def test_examples_name_their_schema(name: str) -> None:
    """The first line tells editors where the schema is, and it is there."""
    first = (SITES / name).read_text("utf-8").splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)

    assert match
    assert (SITES / match[1]).resolve() == SCHEMA_FILE.resolve()


@pytest.mark.parametrize("name", ["minimal.yaml", "example.yaml"])
def test_examples_fit_the_schema(name: str) -> None:
    """What loads is also what an editor accepts."""
    written = yaml.safe_load((SITES / name).read_text("utf-8"))

    jsonschema.Draft202012Validator(json.loads(site_schema())).validate(written)


def test_example_names_every_key() -> None:
    """No key of the schema is missing from the example, commented out or not."""
    named = set(re.findall(r"^ *#?(?:- )?([a-z_]+):", EXAMPLE, re.MULTILINE))

    assert _schema_keys() <= named


def test_schema_file_is_current() -> None:
    """config/site.schema.json is what the records say; else: python -m agent.settings.schema."""
    assert SCHEMA_FILE.read_text("utf-8") == site_schema()


def test_every_key_has_help() -> None:
    """Editors show a sentence for every key, its own or that of the section it opens."""
    schema = json.loads(site_schema())
    records = [schema, *schema["$defs"].values()]
    silent = [
        key
        for record in records
        for key, value in record.get("properties", {}).items()
        if not value.get("description") and "$ref" not in value
    ]

    assert silent == []


@pytest.mark.parametrize("line", COMMENTED, ids=str.strip)
def test_commented_key_shows_its_default(tmp_path: Path, line: str) -> None:
    """Taking the comment sign off any one key changes nothing."""
    at = EXAMPLE.index(f"\n{line}\n")
    uncommented = EXAMPLE[: at + 1] + line.replace("#", "", 1) + EXAMPLE[at + 1 + len(line) :]

    assert _load(tmp_path, uncommented) == _load(tmp_path, EXAMPLE)


def test_all_commented_keys_together_show_defaults(tmp_path: Path) -> None:
    """The example with every comment sign taken off is the example."""
    assert len(COMMENTED) > 40
    assert _load(tmp_path, COMMENTED_KEY.sub(r"\1\2", EXAMPLE)) == _load(tmp_path, EXAMPLE)
