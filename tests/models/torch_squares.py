"""A small real PyTorch detector in YOLOX's layout, and its training on drawn squares; needs PyTorch.

`python torch_squares.py` (with this folder's parent on the path) trains it anew, in a minute, and writes the weights
beside this file.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

WEIGHTS = Path(__file__).with_suffix(".pt")
STRIDES = (8, 16, 32)
COLUMNS = 7  # dx, dy, log w, log h, objectness, red, blue
SIDE, BATCH, STEPS = 128, 8, 3000
RED, BLUE = 2, 0  # channels of a BGR picture


class TorchSquares(nn.Module):
    """Finds red (class 0) and blue (class 1) squares: pictures (N, 3, H, W) BGR 0 to 255, rows (N, cells, 7) raw."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        half = width // 2
        self.stem = nn.Sequential(
            _convolution(3, half, stride=2),
            _convolution(half, width, stride=2),
            _convolution(width, width, stride=2),
            _convolution(width, width, dilation=2),
            _convolution(width, width, dilation=2),
            _convolution(width, width),
        )
        self.down = nn.ModuleList(_convolution(width, width, stride=2) for _ in STRIDES[1:])
        self.rest = nn.Dropout(0.05)  # random outside of eval mode, as batch normalisation is another there
        self.heads = nn.ModuleList(nn.Conv2d(width, COLUMNS, 1) for _ in STRIDES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Rows of strides 8, 16, 32 one after the other."""
        maps = [self.stem(images / 255.0 - 0.5)]
        for layer in self.down:
            maps.append(layer(maps[-1]))
        rows = [head(self.rest(seen)).flatten(2) for head, seen in zip(self.heads, maps, strict=True)]
        table = torch.cat(rows, 2).transpose(1, 2)
        return torch.cat((table[..., :4], table[..., 4:].sigmoid()), 2)


class Drawn(NamedTuple):
    """A batch of pictures, and of their cells of stride 8 the rows wanted, which see a square, and which nearly do."""

    pictures: torch.Tensor
    rows: torch.Tensor
    is_seeing: torch.Tensor
    is_near: torch.Tensor


def drawn(chance: torch.Generator, count: int = BATCH) -> Drawn:
    """Up to two squares of 24 to 40 pixels on noisy grey in each picture."""
    cells = SIDE // 8
    grey = torch.randint(100, 150, (count, 1, 1, 1), generator=chance)
    noise = torch.randint(-6, 7, (count, 1, SIDE, SIDE), generator=chance)
    made = Drawn(
        (grey + noise).float().repeat(1, 3, 1, 1),
        torch.zeros(count, cells, cells, COLUMNS),
        torch.zeros(count, cells, cells, dtype=torch.bool),
        torch.zeros(count, cells, cells, dtype=torch.bool),
    )
    for picture in range(count):
        for half in (0, 1):  # one in the upper half, one in the lower, so that they never meet
            if _number(chance, 0, 3):
                _draw_square(made, picture, half, chance)
    return Drawn(made.pictures, *(field.flatten(1, 2) for field in made[1:]))


def trained(steps: int = STEPS, seed: int = 0) -> TorchSquares:
    """A detector in eval mode after so many steps."""
    torch.manual_seed(seed)
    chance = torch.Generator().manual_seed(seed)
    detector = TorchSquares()
    for head in detector.heads:
        nn.init.constant_(head.bias[4:5], -4.0)
    optimiser = torch.optim.Adam(detector.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    for _ in range(steps):
        sample = drawn(chance)
        optimiser.zero_grad()
        _loss(detector(sample.pictures), sample).backward()
        optimiser.step()
        schedule.step()
    return detector.eval()


def _convolution(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    weights: Any = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(weights, nn.BatchNorm2d(outputs), nn.SiLU())


def _number(chance: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (1,), generator=chance))


def _draw_square(made: Drawn, picture: int, half: int, chance: torch.Generator) -> None:
    side, class_id = 2 * _number(chance, 12, 21), _number(chance, 0, 2)
    x = _number(chance, 0, SIDE - side + 1)
    y = half * SIDE // 2 + _number(chance, 0, SIDE // 2 - side + 1)
    made.pictures[picture, :, y : y + side, x : x + side] = 0
    made.pictures[picture, (RED, BLUE)[class_id], y : y + side, x : x + side] = 255
    cells = torch.arange(SIDE // 8)
    dx, dy = torch.broadcast_tensors((x + side / 2) / 8 - cells[None, :], (y + side / 2) / 8 - cells[:, None])
    distance = torch.maximum((dx - 0.5).abs(), (dy - 0.5).abs())
    log_side = torch.full_like(dx, math.log(side / 8))
    is_class = torch.stack([torch.full_like(dx, float(class_id == each)) for each in (0, 1)])
    rows = torch.stack((dx, dy, log_side, log_side, torch.ones_like(dx), *is_class), 2)
    is_seeing = distance < 1.0
    made.rows[picture][distance < 1.5] = rows[distance < 1.5]
    made.is_seeing[picture] |= is_seeing
    made.is_near[picture] |= (distance >= 1.0) & (distance < 1.5)


def _loss(table: torch.Tensor, sample: Drawn) -> torch.Tensor:
    """Objectness of every cell, the coarser ones see nothing; box and class of those that see."""
    cells = sample.rows.shape[1]
    wanted = torch.zeros_like(table[..., 4])
    wanted[:, :cells] = sample.rows[..., 4]
    objectness = nn.functional.binary_cross_entropy(table[..., 4], wanted, reduction="none")
    objectness[:, :cells][sample.is_near] *= 0
    has_box = sample.is_seeing | sample.is_near
    found, truth = table[:, :cells][has_box], sample.rows[has_box]
    total = objectness.sum() / len(table) / 4
    if len(found):
        total = total + nn.functional.binary_cross_entropy(found[:, 5:], truth[:, 5:])
        total = total + 5 * nn.functional.smooth_l1_loss(found[:, :4], truth[:, :4], beta=0.1)
    return total


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.save(trained().state_dict(), WEIGHTS)
