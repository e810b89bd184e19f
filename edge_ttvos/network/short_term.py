"""Short-term matching: where the object was a frame ago, seen in the features of now."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.contracts import S16
from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.hrnet import conv_bn


class ShortTermMatching(nn.Module):
    """s16 of both frames and the previous masks → a coarse two-channel map at 1/8.

    Switched off (Table 3, SM), it sees the current frame alone: concat(s16, masks) and the same
    convolutions.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.matches = config.short_term
        self.template = conv_bn(S16 + config.mask_channels, 32)
        self.compare = conv_bn(32 + S16 if self.matches else 32, 16)
        self.up = nn.ConvTranspose2d(16, 2, 4, 2, 1)

    def forward(
        self,
        s16: Float[Tensor, "b 192 h16 w16"],
        previous_s16: Float[Tensor, "b 192 h16 w16"],
        masks: Float[Tensor, "b m h8 w8"],
    ) -> Float[Tensor, "b 2 h8 w8"]:
        masks16 = F.avg_pool2d(masks, 2)
        seen = previous_s16 if self.matches else s16
        template: Tensor = self.template(torch.cat([seen, masks16], dim=1))
        pair = torch.cat([template, s16], dim=1) if self.matches else template
        coarse: Tensor = self.up(self.compare(pair))
        return coarse
