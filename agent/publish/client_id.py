"""The MQTT client id of an installation: two with one id would throw each other off the broker for ever."""

from __future__ import annotations

import hashlib
import hmac

# machine-id(5) asks not to show a machine's id to the outside; what is derived from it with a key may be shown.
_PURPOSE = b"sitewatch mqtt client id"


def default_client_id(machine_id: str, site_id: str) -> str:
    """An id that stays the same for this machine and site and differs for every other pair."""
    digest = hmac.new(_PURPOSE, f"{machine_id}\0{site_id}".encode(), hashlib.sha256).hexdigest()
    return f"sitewatch-{site_id}-{digest[:12]}"
