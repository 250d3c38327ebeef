"""Inputs as a person writes them."""

from __future__ import annotations

import pytest

from agent.models.export.input_spec import InputSpec, parse_input


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1x3x416x416", InputSpec("", (1, 3, 416, 416))),
        ("7", InputSpec("", (7,))),
        ("images:2x3x8x8", InputSpec("images", (2, 3, 8, 8))),
        ("1x2:int64", InputSpec("", (1, 2), "int64", 1.0, 8.0)),
        ("sizes:1x2:int64:32..640", InputSpec("sizes", (1, 2), "int64", 32.0, 640.0)),
        ("x:1x3:float16:-1.5..2.5", InputSpec("x", (1, 3), "float16", -1.5, 2.5)),
        ("1x4:uint8", InputSpec("", (1, 4), "uint8", 0.0, 255.0)),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, expected: InputSpec) -> None:
    """Name, type and range may be left out."""
    assert parse_input(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "allowed is"),
        ("images", "allowed is"),
        ("images:", "allowed is"),
        ("1x0x4", "allowed are up to 8 sizes from 1"),
        ("1x99999999999", "allowed are up to 8 sizes from 1"),
        ("x".join("1" * 9), "allowed are up to 8 sizes from 1"),
        ("1x3:float", "found type 'float'"),
        ("1x3:float32:5..1", "found range '5..1'"),
        ("1x3:float32:0-255", "found range '0-255'"),
        ("a:b:1x3", "allowed is"),
        ("1x3:float32:0..1:more", "allowed is"),
    ],
)
def test_mistakes_are_told(text: str, words: str) -> None:
    """The sentence says what was found and what is allowed."""
    with pytest.raises(ValueError, match="found") as raised:
        parse_input(text)

    assert words in str(raised.value)
