"""Values that parse and print themselves, one a file; imports nothing of ours outside this folder."""

from __future__ import annotations

from agent.settings.types.duration import Duration
from agent.settings.types.picture_size import PictureSize
from agent.settings.types.refused import RefusedError
from agent.settings.types.secret import Secret
from agent.settings.types.size import Size
from agent.settings.types.source_address import SourceAddress, SourceKind

__all__ = ["Duration", "PictureSize", "RefusedError", "Secret", "Size", "SourceAddress", "SourceKind"]
