"""The box head: what a box holds, from the features of its own frame.

It compares every place of the frame with every other: what stands inside the box and outside too is
background. Boards run it in NumPy (``firmware_bridge.box_head``), once an object, whatever the
engine; the tracker's graphs know nothing of it.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.contracts import S4, S8, S16
from edge_ttvos.firmware_bridge.box_head import FINE, ROUNDS, WIDTH
from edge_ttvos.network.hrnet import Features


class Comparison(nn.Module):
    """Each place at 1/8 looks at all places at 1/16, and then at its neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.join = nn.Conv2d(2 * WIDTH, WIDTH, 3, 1, 1)

    def forward(self, x: Float[Tensor, "b c h8 w8"]) -> Float[Tensor, "b c h8 w8"]:
        places = x.flatten(2).transpose(1, 2)
        coarse = F.avg_pool2d(x, 2).flatten(2).transpose(1, 2)
        scores = self.query(places) @ self.key(coarse).transpose(1, 2) / WIDTH**0.5
        seen = scores.softmax(dim=-1) @ self.value(coarse)
        seen = seen.transpose(1, 2).view_as(x)
        return x + F.relu(self.join(torch.cat([x, seen], dim=1)))


class BoxHead(nn.Module):
    """Features and a box's prior → logit of the object at full size."""

    def __init__(self) -> None:
        super().__init__()
        self.enter8 = nn.Linear(S8 + 2, WIDTH)
        self.enter16 = nn.Linear(S16, WIDTH, bias=False)
        self.rounds = nn.ModuleList(Comparison() for _ in range(ROUNDS))
        self.fine = nn.Conv2d(WIDTH + S4, FINE, 3, 1, 1)
        self.leave = nn.Conv2d(FINE, 1, 3, 1, 1)

    def forward(self, features: Features, prior: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
        """See the class; ``prior`` is above 0 inside the box, surest in its middle."""
        told = F.avg_pool2d(torch.stack([prior, (prior > 0).to(prior)], dim=1), 8)
        x = _pointwise(self.enter8, torch.cat([features.s8, told], dim=1))
        x = F.relu(x + _doubled(_pointwise(self.enter16, features.s16)))
        for compare in self.rounds:
            x = compare(x)
        fine = F.relu(self.fine(torch.cat([_doubled(x), features.s4], dim=1)))
        logit: Tensor = F.interpolate(self.leave(fine), scale_factor=4, mode="bilinear")
        return logit[:, 0]


def _pointwise(layer: nn.Module, maps: Tensor) -> Tensor:
    mapped: Tensor = layer(maps.permute(0, 2, 3, 1))
    return mapped.permute(0, 3, 1, 2)


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear")
