"""A decoder whose thresholds can be others from one frame to the next."""

from __future__ import annotations

from collections.abc import Sequence

from agent.detect.decoders.decoder import Decoder, Outputs
from agent.detect.letterbox import Letterbox
from trackers import Detections


class ExchangeableDecoder:
    """Decodes as the decoder it was given last; any thread may call both."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def exchange(self, decoder: Decoder) -> None:
        """Decode with this one from the next call on; it must be made for the same model."""
        self._decoder = decoder

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        return self._decoder.decode(outputs, letterboxes)
