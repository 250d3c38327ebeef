"""coremltools, imported without its complaints, and only where it is needed."""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

from devices.errors import EngineUnavailable

CoreMlObject: TypeAlias = Any
"""The library's own object; its type exists only where the library is installed."""


def import_coremltools() -> CoreMlObject:
    """The library; it can be had on any system, and runs models on macOS only.

    Raises:
        EngineUnavailable: it is not installed, or does not load.
    """
    # Elsewhere than on macOS it names seven parts that are missing, at level warning.
    logging.getLogger("coremltools").setLevel(logging.ERROR)
    try:
        import coremltools  # noqa: PLC0415 - a run-time is imported in its factory only
        import coremltools.models.compute_device  # noqa: PLC0415 - as above
        import coremltools.models.compute_plan  # noqa: PLC0415 - as above
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"coreml: coremltools cannot be imported: {error}") from error
    return coremltools
