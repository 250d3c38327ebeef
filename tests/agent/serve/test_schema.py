"""The OpenAPI document is the truth: whatever it allows is answered as it says, whatever it does not is refused so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from clips import sent_pictures
from clips.sent_pictures import as_image, encoded
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance
from servers.detection_server import Serving, serving

from agent.serve.document import IMAGE_TYPES

SMALL = as_image().resize((64, 36))
# Real pictures, as random bytes are none: those are refused, and tests of their own hold that.
PICTURES = st.sampled_from([encoded(SMALL, form) for form in ("PNG", "JPEG", "WEBP", "BMP")])
EXAMPLES = 60
TOKEN = "a-token-for-this-test"

for media_type in (*IMAGE_TYPES, "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, PICTURES)


@pytest.fixture(scope="module")
def served(squares_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that asks for a token."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN, encoding="ascii")
    with serving(squares_model, "--token-file", str(file), "--max-batch-size", "2") as one:
        one.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield one


@pytest.fixture
def document(served: Serving) -> Any:
    """As schemathesis reads it."""
    return schemathesis.openapi.from_dict(served.client.get("/openapi.json").json())


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(case: schemathesis.Case, served: Serving) -> None:
    """Status, headers, media type and body of every answer; no 500; what the document allows is accepted."""
    case.call_and_validate(base_url=served.url, headers={"authorization": f"Bearer {TOKEN}"})


def test_an_answer_fits_its_schema(served: Serving) -> None:
    """The record of `POST /detect`, with boxes in it, and a problem."""
    document = served.client.get("/openapi.json").json()
    for name, answer in (("DetectAnswer", served.detect(sent_pictures.png())), ("Problem", served.detect(b""))):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.validate(answer.json(), schema)

    answers = document["paths"]["/detect"]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "408", "413", "415", "421", "422", "500", "503"}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


_ = positive_data_acceptance
