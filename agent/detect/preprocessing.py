"""What happens to a picture before a model sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.detect.letterbox import Fit

if TYPE_CHECKING:  # decoders, which need this, also run where there are no settings: inside other people's servers
    from agent.settings.models import ModelSettings

Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """How a model of some family was trained to be fed; the site file may say otherwise.

    Attributes:
        fit: how a frame is brought to the model's size.
        pad_value: grey of the letterbox's empty part, 0 to 255, before normalisation.
        order: "rgb" or "bgr".
        mean, scale: (x - mean) * scale per channel, in the model's channel order, on the 0 to 255 scale.
    """

    fit: Fit
    pad_value: int
    order: str
    mean: Channels
    scale: Channels

    def overruled_by(self, settings: ModelSettings) -> Preprocessing:
        """The same with everything the site file says put in."""
        return Preprocessing(
            fit=self.fit if settings.fit is None else Fit(settings.fit),
            pad_value=self.pad_value if settings.pad_value is None else settings.pad_value,
            order=settings.color_order or self.order,
            mean=settings.mean or self.mean,
            scale=settings.scale or self.scale,
        )

    def for_whole_numbers(self) -> Preprocessing:
        """The same for a model that takes uint8 pictures: what there is to normalise, it does itself."""
        return replace(self, mean=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))
