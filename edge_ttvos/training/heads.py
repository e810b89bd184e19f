"""What only training has: small heads on the network's maps, thrown away with the optimizer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.contracts import S4, S8, S16
from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.losses import TransitionHead


class SaliencyHead(nn.Module):
    """Backbone features of a single image → logits of its salient object, at the image's size."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Conv2d(channels, 1, 1) for channels in (S4, S8, S16))

    def forward(self, features: Features, size: tuple[int, int]) -> Float[Tensor, "b h w"]:
        maps = [project(f) for project, f in zip(self.project, features, strict=True)]
        raised = [F.interpolate(m, size=size, mode="bilinear", align_corners=False) for m in maps]
        total: Tensor = raised[0] + raised[1] + raised[2]
        return total[:, 0]


class Heads(nn.Module):
    """π̂ of eq. (4), a coarse mask of the long-term similarity, and the salient object."""

    def __init__(self) -> None:
        super().__init__()
        self.transition = TransitionHead()
        self.coarse = nn.Conv2d(S8, 1, 3, padding=1)
        self.saliency = SaliencyHead()
