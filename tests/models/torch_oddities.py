"""PyTorch modules that exporters stumble over, each over one thing; needs PyTorch."""

from __future__ import annotations

import torch
from torch import nn

LIBRARY = torch.library.Library("oddities", "DEF")
LIBRARY.define("twist(Tensor x) -> Tensor")
LIBRARY.impl("twist", lambda x: x * 2, "CompositeExplicitAutograd")
torch.library.register_fake("oddities::twist", torch.empty_like)


class Doubling(nn.Module):
    """Nothing odd."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class TwoEnds(nn.Module):
    """Two inputs, one of them whole numbers; two outputs by name, of which one does not follow the batch."""

    def forward(self, images: torch.Tensor, sizes: torch.Tensor) -> dict[str, torch.Tensor]:
        scaled = images.mean((2, 3)) * sizes[:, :1]
        return {"scaled": scaled, "anchors": torch.arange(5).float()}


class Nested(nn.Module):
    """Outputs within outputs."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return x + 1, [x + 2, x + 3]


class Half(nn.Module):
    """In half precision."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(64, 8).half()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


class Custom(nn.Module):
    """An operator that ONNX does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.oddities.twist(x) + 1


class Decomposing(nn.Module):
    """An operator of PyTorch's own that ONNX does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.svd(x)[1]


class Branching(nn.Module):
    """Takes one of two ways, depending on what it sees."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.flatten()[0] > 0.5:
            return x * 2
        return x - 1


class BakedBatch(nn.Module):
    """Takes any batch, but a recording of it keeps the one it was recorded with."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(int(x.shape[0]), -1) + 1


class FixedBatch(nn.Module):
    """Takes a batch of 2 only."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.arange(2.0)[:, None]


class Dropping(nn.Module):
    """Random in eval mode too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(x, 0.5, training=True)


class Numbered(nn.Module):
    """Gives a number beside a tensor."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        return x, 3


class Heedless(nn.Module):
    """Does not look at its second input."""

    def forward(self, x: torch.Tensor, unseen: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - which is its oddity
        return x * 2


class Sized(nn.Module):
    """Needs an argument."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


class Chatty(nn.Module):
    """Prints while it works, as some do."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        print("shape", x.shape)  # noqa: T201 - which is its oddity
        return x * 2


READY = Doubling()
NOT_A_MODULE = 3
