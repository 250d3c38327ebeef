"""Stars over credentials in a text that may hold an address."""

from __future__ import annotations

import re

_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:/{1,3}).*@")
_BARE_USER_INFO = re.compile(r"[^\s/@:]+:(?!/).*@")
_NAMED = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase)?|pwd|user-pw|user_pw|token|secret|api_?key|access_?key|auth)\s*[=:]\s*)"
    r"(?:\"[^\"]*\"|'[^']*'|[^\s&;,!/?\"']+)"
)


def mask(text: str) -> str:
    """The text with user info of addresses and values of `password=` and the like as stars.

    Rather too much than too little: an @ later in an address hides what stands before it, and user:password@
    is hidden where the scheme was forgotten or mistyped.
    """
    hidden = _BARE_USER_INFO.sub("***@", _USER_INFO.sub(r"\1***@", text))
    return _NAMED.sub(r"\1***", hidden)
