"""Enlarging maps by whole factors with convolutions, reshapes and joins of three-sided maps alone.

A map enlarged f times has f² phases: the pixels whose row and column leave the same remainders.
Each phase is a convolution of the small map. Here a row of phases is one convolution, whose
channels a reshape lays side by side; the rows are then joined and reshaped. No array ever has more
than three sides besides the batch, and nothing is transposed: accelerators know no more.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Phases(nn.Module):
    """A convolution to channels (row phase, column phase, channel), and their interleaving.

    (1, i, h, w) → (1, c, f·h, f·w); as ``upsampling.interleave`` of the convolution's result.

    Args:
        convolution: with f²·c output channels.
        factor: f.
    """

    def __init__(self, convolution: nn.Conv2d, factor: int) -> None:
        super().__init__()
        self.factor = factor
        count = convolution.out_channels // factor
        rows = (_part(convolution, slice(a * count, (a + 1) * count)) for a in range(factor))
        self.rows = nn.ModuleList(rows)

    def forward(self, x: Tensor) -> Tensor:
        f = self.factor
        rows = [row(x).permute(0, 2, 3, 1) for row in self.rows]
        _, h, w, channels = rows[0].shape
        wide = [row.reshape(1, h, f * w, channels // f) for row in rows]
        joined = torch.cat(wide, dim=2).reshape(1, f * h, f * w, channels // f)
        return joined.permute(0, 3, 1, 2)


def _part(convolution: nn.Conv2d, outputs: slice) -> nn.Conv2d:
    """The convolution to some of the output channels."""
    weight, bias = convolution.weight[outputs], convolution.bias
    count, inputs = weight.shape[:2]
    part = nn.Conv2d(inputs, count, 3, padding=1, bias=bias is not None)
    with torch.no_grad():
        part.weight.copy_(weight)
        if part.bias is not None and bias is not None:
            part.bias.copy_(bias[outputs])
    return part
