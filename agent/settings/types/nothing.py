"""A key with nothing after its colon, which is neither null nor a value."""

from __future__ import annotations

from enum import Enum


class Nothing(Enum):
    """For a section it means its defaults (all its keys are commented out); anywhere else it is a mistake.

    Were it null, `password:` with the value forgotten would quietly mean no password, and `tls:` no TLS.
    """

    NOTHING = "nothing"
