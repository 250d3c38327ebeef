"""Libraries that write to standard error by themselves, asked not to."""

from __future__ import annotations

import cv2


def quiet_libraries() -> None:
    """What OpenCV warns of comes without masking, and reaches the operator as a typed error anyway."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
