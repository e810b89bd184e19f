"""Layers that few accelerators know, as layers that all know and that compute the same.

A group convolution is a dense one whose weight is zero between the groups: every sum has the same
terms and some zeros. LeakyReLU with a slope between 0 and 1 is max(x, slope · x). Transposed
convolutions are ``phases``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_ttvos.targets.export.phases import Phases
from edge_ttvos.targets.export.upsampling import Doubling, Quadrupling


def plain(module: nn.Module) -> nn.Module:
    """Replace them inside a module, in place; the module itself comes back."""
    for name, child in module.named_children():
        if (replacement := _replacement(child)) is None:
            plain(child)
        else:
            setattr(module, name, replacement)
    return module


def _replacement(layer: nn.Module) -> nn.Module | None:
    if isinstance(layer, nn.Conv2d) and layer.groups > 1:
        return dense(layer)
    if isinstance(layer, nn.LeakyReLU):
        return Maximum(layer.negative_slope)
    if isinstance(layer, Doubling | Quadrupling):
        return Phases(layer.convolution, layer.factor)
    return None


def dense(convolution: nn.Conv2d) -> nn.Conv2d:
    """A convolution with one group that computes what this one does with several.

    Its weight (o, i, kh, kw) is block-diagonal over the groups.
    """
    result = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        _pair(convolution.kernel_size),
        _pair(convolution.stride),
        _pair(convolution.padding),
        _pair(convolution.dilation),
        bias=convolution.bias is not None,
    )
    with torch.no_grad():
        result.weight.copy_(block_diagonal(convolution.weight.detach(), convolution.groups))
        if convolution.bias is not None and result.bias is not None:
            result.bias.copy_(convolution.bias)
    return result


def block_diagonal(weight: Tensor, groups: int) -> Tensor:
    """A group convolution's weight as a dense one's, zero between the groups.

    (o, i / groups, kh, kw) floats or codes → (o, i, kh, kw) of the same type.
    """
    out, inside, *kernel = weight.shape
    blocks = weight.new_zeros(groups, out // groups, groups, inside, *kernel)
    index = torch.arange(groups)
    blocks[index, :, index] = weight.view(groups, out // groups, inside, *kernel)
    return blocks.flatten(2, 3).flatten(0, 1)


def _pair(sides: tuple[int, ...] | str) -> tuple[int, int]:
    """Along y and x.

    Raises:
        ValueError: padding given by name.
    """
    if isinstance(sides, str):
        raise ValueError(f"padding must be in pixels; got {sides!r}")
    y, x = sides
    return y, x


class Maximum(nn.Module):
    """LeakyReLU as max(x, slope · x).

    Raises:
        ValueError: the slope is not between 0 and 1, where the two would differ.
    """

    def __init__(self, slope: float) -> None:
        super().__init__()
        if not 0 <= slope <= 1:
            raise ValueError(f"slope must be 0 to 1 for max(x, slope · x); got {slope}")
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(x, self.slope * x)
