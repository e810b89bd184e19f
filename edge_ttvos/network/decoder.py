"""The decoder: similarity maps and s4 → two-channel logits at full resolution."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from edge_ttvos.contracts import S4
from edge_ttvos.network.hrnet import conv_bn


def double(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Transposed convolution 4/2/1: twice the height and width."""
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)


class UpdateWeight(nn.Module):
    """How much the coming template update may count: w in (0, 1), one number an object."""

    def __init__(self) -> None:
        super().__init__()
        self.convolve = nn.Sequential(nn.Conv2d(S4 + 2, 9, 3, 2, 1), nn.ReLU(inplace=True))
        self.project = nn.Conv2d(9, 1, 1)

    def forward(self, x: Float[Tensor, "b 18 h4 w4"]) -> Float[Tensor, " b"]:
        pooled = self.convolve(x).mean(dim=(2, 3), keepdim=True)
        weight: Tensor = self.project(pooled).sigmoid().flatten()
        return weight


class Decoder(nn.Module):
    """Sᴸ (1/8) ⊕ short-term (1/8), joined by s4 (1/4), raised to the frame's size."""

    def __init__(self, weighted_update: bool) -> None:
        super().__init__()
        self.reduce8 = conv_bn(32, 16, 1)
        self.merge8 = conv_bn(16 + 2, 16)
        self.up8 = double(16, 2)
        self.reduce4 = conv_bn(S4, 16, 1)
        self.merge4 = conv_bn(16 + 2, 16)
        self.up_short = double(2, 2)
        self.up4 = double(16 + 2 + 2, 8)
        self.shuffle = nn.PixelShuffle(2)
        self.update_weight = UpdateWeight() if weighted_update else None

    def forward(
        self,
        s4: Float[Tensor, "b 16 h4 w4"],
        long_term: Float[Tensor, "b 32 h8 w8"],
        short_term: Float[Tensor, "b 2 h8 w8"],
    ) -> tuple[Float[Tensor, "b 2 h w"], Float[Tensor, " b"] | None]:
        joined, weight = self.join(s4, long_term, short_term)
        return self.shuffle(self.up4(joined)), weight

    def join(
        self,
        s4: Float[Tensor, "b 16 h4 w4"],
        long_term: Float[Tensor, "b 32 h8 w8"],
        short_term: Float[Tensor, "b 2 h8 w8"],
    ) -> tuple[Float[Tensor, "b 20 h4 w4"], Float[Tensor, " b"] | None]:
        """All but the last layer: what it raises to the frame's size, and w where it is learnt."""
        coarse = self.merge8(torch.cat([self.reduce8(long_term), short_term], dim=1))
        coarse = self.up8(coarse)
        fine = torch.cat([self.reduce4(s4), coarse], dim=1)
        weight = self.update_weight(fine) if self.update_weight is not None else None
        joined = torch.cat([self.merge4(fine), coarse, self.up_short(short_term)], dim=1)
        return joined, weight
