"""The OpenAPI document is the truth: whatever it allows is answered as it says, whatever it does not is refused so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from clips import sent_pictures
from servers.detection_server import REPOSITORY, Serving, serving

EXAMPLES = 40
TOKEN = "a-token-for-this-test"
WITHIN_S = 120


@pytest.fixture(scope="module")
def served(squares_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that asks for a token."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN, encoding="ascii")
    with serving(squares_model, "--token-file", str(file), "--max-batch-size", "2") as one:
        one.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield one


def test_schemathesis_finds_nothing(served: Serving, tmp_path: Path) -> None:
    """All of its checks: status, media type and body as documented, wrong data refused, right data taken, no 500."""
    paths = os.pathsep.join([str(REPOSITORY / "tests"), str(REPOSITORY)])
    done = subprocess.run(
        [str(Path(sys.executable).with_name("schemathesis")), "run", f"{served.url}/openapi.json",
         "--header", f"Authorization: Bearer {TOKEN}", "--checks", "all", "--max-examples", str(EXAMPLES),
         "--seed", "7", "--generation-database", "none", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=WITHIN_S, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "servers.schemathesis_hooks", "PYTHONPATH": paths, "COLUMNS": "160"},
    )  # fmt: skip
    counts = re.search(r"(\d+) generated, (\d+) passed", done.stdout)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert counts is not None, done.stdout
    assert int(counts[1]) >= 3 * EXAMPLES
    assert served.metric('sitewatch_serve_requests_total{page="/detect",status="200"}') > EXAMPLES / 2


def test_an_answer_fits_its_schema(served: Serving) -> None:
    """The record of `POST /detect`, with boxes in it, and a problem; and every status it may give is documented."""
    document = served.client.get("/openapi.json").json()
    for name, answer in (("DetectAnswer", served.detect(sent_pictures.png())), ("Problem", served.detect(b""))):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.validate(answer.json(), schema)

    answers = document["paths"]["/detect"]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "408", "413", "415", "421", "422", "500", "503"}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
