"""Credentials out of every text that leaves the process."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

STARS = "***"

# A secret this short also occurs inside ordinary words; it is masked only where it stands alone.
LEAST_LETTERS_ANYWHERE = 4

# Everything between the user's colon and the last @ before the address ends. A colon followed by a port number and
# a path is none of a user, so `http://host:80/a@b` stays as it is; an unescaped / or @ inside a password is covered.
_URL_PASSWORD = re.compile(
    r"""(?P<head>[a-z][a-z0-9+.-]*://[^\s/?\#@:'"<>\[\]]*:)(?!\d+[/?\#])[^\s'"<>]*@""", re.IGNORECASE | re.VERBOSE
)
_QUERY_SECRET = re.compile(
    r"(?P<head>[?&;](?:password|passwd|passw|pass|pwd|token|access_token|secret|api_?key|auth|signature)=)[^&;\s'\"<>]+",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    r"(?P<head>\bauthorization['\"]?\s*[:=,]\s*b?['\"]?(?:basic|bearer|digest)\s)[^\r\n'\"<>]*", re.IGNORECASE
)
_PATTERNS = (_URL_PASSWORD, _QUERY_SECRET, _AUTHORIZATION)


def mask_addresses(text: str) -> str:
    """`text` with the password of every address, query and Authorization header as stars.

    The user's name stays: it helps whoever mends a refused login.
    """
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\g<head>{STARS}@", text)
    for pattern in _PATTERNS[1:]:
        text = pattern.sub(rf"\g<head>{STARS}", text)
    return text


class Mask:
    """Stars for credentials: those that can be told by their place, and the known secret values wherever they stand.

    Any thread may call; secrets may be added at any time.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._spellings: set[str] = set()
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Star this value from now on, as it is and as addresses, JSON and Python write it."""
        if not secret.strip():
            return
        with self._lock:
            self._spellings |= _spellings(secret)
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._known = re.compile("|".join(map(_anywhere_or_alone, longest_first)))

    def __call__(self, text: str) -> str:
        """`text` without any credential."""
        known = self._known
        if known is not None:
            text = known.sub(STARS, text)
        return mask_addresses(text)


def _spellings(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
    }


def _anywhere_or_alone(spelling: str) -> str:
    escaped = re.escape(spelling)
    return escaped if len(spelling) >= LEAST_LETTERS_ANYWHERE else rf"(?<!\w){escaped}(?!\w)"
