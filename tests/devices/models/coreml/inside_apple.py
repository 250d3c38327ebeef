"""The NumPy evaluation of packages that Apple's own PyTorch front end writes: what operations mean is not our word."""

from __future__ import annotations

import warnings

import coremltools
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from devices.models.coreml_evaluation import EvaluatedPackage

GRID = torch.rand(1, 5, 6, 2, generator=torch.Generator().manual_seed(1)) * 2.4 - 1.2


class EveryLayer(nn.Module):
    """One output for each operation whose meaning leaves room for mistakes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.apart = nn.Conv2d(4, 8, 3, stride=2, padding=(1, 2), dilation=(2, 1), groups=4)
        self.groups = nn.Conv2d(4, 6, (1, 3), groups=2)
        self.turned = nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1, groups=2)
        self.norm = nn.LayerNorm([8, 12])
        self.instance = nn.InstanceNorm2d(4, affine=True)
        self.linear = nn.Linear(12, 5)
        self.slopes = nn.PReLU(4, 0.3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values, places = torch.topk(x, 3, dim=3)
        return (
            self.apart(x),
            self.groups(x),
            self.turned(x),
            self.norm(x),
            self.instance(x),
            self.linear(x),
            self.slopes(x),
            functional.max_pool2d(x, 3, stride=2, padding=1, ceil_mode=True),
            functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False),
            functional.avg_pool2d(x, 2, stride=2, count_include_pad=True),
            functional.interpolate(x, scale_factor=2, mode="nearest"),
            functional.interpolate(x, size=(13, 31), mode="bilinear", align_corners=False),
            functional.interpolate(x, size=(16, 24), mode="bilinear", align_corners=True),
            functional.grid_sample(x, GRID, align_corners=False),
            functional.grid_sample(x, GRID, padding_mode="border", align_corners=True),
            functional.pixel_shuffle(x, 2),
            functional.softmax(x, 1),
            functional.gelu(x),
            functional.silu(x),
            functional.hardsigmoid(x),
            functional.elu(x, 0.7),
            functional.softplus(x),
            functional.pad(x, (1, 2, 3, 0), mode="reflect"),
            torch.gather(x, 2, torch.zeros(1, 4, 3, 12, dtype=torch.int64)),
            values + places.float(),
            x.transpose(1, 3)[:, ::2, 1:],
            torch.cat([x, x * 2], 1).reshape(1, 2, 4, 8, 12).transpose(1, 2).reshape(1, 8, 8, 12),
            torch.where(x > 0, x, x.mean(dim=(2, 3), keepdim=True)),
            torch.cumsum(x, 2),
            torch.erf(x) + torch.exp(x) + torch.clamp(x, -0.5, 0.5),
        )


@pytest.fixture(scope="module")
def apple(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What PyTorch computes, and what the evaluation makes of Apple's package."""
    module, x = EveryLayer().eval(), torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(3))
    path = tmp_path_factory.mktemp("apple") / "layers.mlpackage"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        right = [each.numpy() for each in module(x)]
        names = [f"y{number}" for number in range(len(right))]
        coremltools.convert(
            torch.jit.trace(module, x),
            inputs=[coremltools.TensorType(name="x", shape=x.shape)],
            outputs=[coremltools.TensorType(name=name) for name in names],
            minimum_deployment_target=coremltools.target.iOS16,
            compute_precision=coremltools.precision.FLOAT32,
            skip_model_load=True,
        ).save(str(path))
    given = EvaluatedPackage(path).infer({"x": x.numpy()})
    return right, [given[name] for name in names]


def test_operations_mean_what_apple_means(apple: tuple[list[np.ndarray], list[np.ndarray]]) -> None:
    """Thirty operations and patterns, to the last digits."""
    right, given = apple

    assert len(given) == 30
    for number, (one, other) in enumerate(zip(right, given, strict=True)):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=2e-5, err_msg=f"output {number}")
