"""Secrets that are put in, and that must not come out again, in any form."""

from __future__ import annotations

import base64
import traceback
from urllib.parse import quote, quote_plus

SECRET = "kw8/Zq:3v@T%7x"
FORMS = (
    SECRET,
    quote(SECRET, safe=""),
    quote_plus(SECRET),
    base64.b64encode(SECRET.encode()).decode(),
    repr(SECRET)[1:-1],
)


def assert_silent(*said: object) -> None:
    """Nothing that was said holds the secret; of an error its whole chain counts."""
    for each in said:
        text = "".join(traceback.format_exception(each)) if isinstance(each, BaseException) else str(each)
        for form in FORMS:
            assert form not in text, f"the secret came out: {text[:2000]}"
