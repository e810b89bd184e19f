from __future__ import annotations

import pytest
import torch
from torch import nn

from edge_ttvos.targets.export.upsampling import Doubling, Quadrupling, as_convolution, interleave


@torch.inference_mode()
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (16, 2), (20, 4), (3, 5)])
def test_a_transposed_convolution_is_a_convolution_and_an_interleaving(
    inputs: int, outputs: int
) -> None:
    up = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    x = torch.randn(1, inputs, 5, 7)
    torch.testing.assert_close(Doubling(up)(x), up(x), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_the_last_layer_is_one_convolution_and_one_interleaving() -> None:
    up = nn.ConvTranspose2d(20, 4, 4, 2, 1)
    x = torch.randn(1, 20, 5, 7)
    wanted = nn.PixelShuffle(2)(up(x))
    assert wanted.shape == (1, 1, 20, 28)
    torch.testing.assert_close(Quadrupling(up)(x), wanted, atol=1e-5, rtol=1e-5)


def test_interleaving_by_hand() -> None:
    phases = torch.tensor([1.0, 2, 3, 4]).view(1, 4, 1, 1).expand(1, 4, 1, 2)
    assert interleave(phases, 2).tolist() == [[[[1, 2, 1, 2], [3, 4, 3, 4]]]]


@pytest.mark.parametrize(
    "up",
    [
        nn.ConvTranspose2d(4, 2, 2, 2),
        nn.ConvTranspose2d(4, 2, 4, 2, 0),
        nn.ConvTranspose2d(4, 2, 4, 2, 1, groups=2),
        nn.ConvTranspose2d(4, 2, 4, 2, 1, bias=False),
    ],
    ids=["kernel", "padding", "groups", "bias"],
)
def test_another_geometry_is_refused(up: nn.ConvTranspose2d) -> None:
    with pytest.raises(ValueError, match="4/2/1"):
        as_convolution(up)
