"""What schemathesis sends where the document asks for a picture; it loads this as a module of its own.

Real pictures, as random bytes are none: those are refused, and tests of their own hold that.
"""

from __future__ import annotations

import schemathesis
from clips.sent_pictures import as_image, encoded
from hypothesis import strategies as st

from agent.serve.document import IMAGE_TYPES

SMALL = as_image().resize((64, 36))
PICTURES = st.sampled_from([encoded(SMALL, form) for form in ("PNG", "JPEG", "WEBP", "BMP")])

for media_type in (*IMAGE_TYPES, "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, PICTURES)
