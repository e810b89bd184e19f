"""Long-term matching: the template attention module, equations (1) to (3) of the paper.

The functions are the arithmetic that stays in float on every target; the modules are the
convolutions around it, which a quantizer may turn into integers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from edge_ttvos.contracts import S8
from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.hrnet import conv_bn

LEAK = 0.2

Template = Float[Tensor, "b c c"]
Map = Float[Tensor, "b c h w"]


def embedding_matrix(f: Map, g: Map, scaled: bool) -> Template:
    """I = softmax_rows(f gᵀ), eq. (1); ``scaled`` divides the product by sqrt(H·W) first.

    In float32 at least, also under autocast: small steps of the average would round away.
    """
    product = f.flatten(2) @ g.flatten(2).transpose(1, 2)
    product = product.to(torch.promote_types(product.dtype, torch.float32))
    if scaled:
        product = product / (f.shape[-2] * f.shape[-1]) ** 0.5
    return product.softmax(dim=-1)


def average_update(template: Template, embedding: Template, t: int) -> Template:
    """TPₜ = (t−1)/t · TPₜ₋₁ + 1/t · I, eq. (2); t counts updates from 1, so that TP₁ = I."""
    return template * ((t - 1) / t) + embedding / t


def weighted_update(
    template: Template, embedding: Template, weight: Float[Tensor, " b"]
) -> Template:
    """TPₜ = TPₜ₋₁/(1+w) + I·w/(1+w): the authors' release, w estimated by the decoder."""
    w = weight.view(-1, 1, 1)
    return (template + embedding * w) / (1 + w)


def read_template(template: Template, q: Map) -> Map:
    """A = TP q, eq. (3)."""
    return (template @ q.flatten(2)).view_as(q)


def coordinate_maps(height: int, width: int) -> Float[Tensor, "1 3 h w"]:
    """x and y from −1 to 1 and the radius from the centre, each (height, width)."""
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    return torch.stack([x, y, (x * x + y * y).sqrt()])[None]


class Embedding(NamedTuple):
    """What ``embed`` hands over: f and g of the previous frame, q of this one."""

    f: Map
    g: Map
    q: Map


def branch(inputs: int, config: NetworkConfig) -> nn.Sequential:
    """1×1 convolution, then a 5×5 group convolution, then LeakyReLU (Fig. 3b)."""
    c = config.template_channels
    return nn.Sequential(
        nn.Conv2d(inputs, c, 1),
        nn.Conv2d(c, c, 5, padding=2, groups=c // config.channels_per_group),
        nn.LeakyReLU(LEAK),
    )


class TemplateEmbedding(nn.Module):
    """s8 and masks → f and g of the previous frame, q and s8′ of the current one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        inputs = S8 + config.mask_channels + config.coordinate_channels
        self.f = branch(inputs, config)
        self.g = branch(inputs, config)
        self.q = branch(inputs, config)
        self.s8 = branch(inputs, config)

    def forward(
        self,
        previous_s8: Float[Tensor, "b 32 h w"],
        masks: Float[Tensor, "b m h w"],
        s8: Float[Tensor, "b 32 h w"],
        coordinates: Float[Tensor, "1 axes h w"],
    ) -> tuple[Map, Embedding]:
        shared = torch.cat([masks, coordinates.expand(masks.shape[0], -1, -1, -1)], dim=1)
        before = torch.cat([previous_s8, shared], dim=1)
        now = torch.cat([s8, shared], dim=1)
        return self.s8(now), Embedding(self.f(before), self.g(before), self.q(now))


class MaskedFeatures(nn.Module):
    """Long-term matching switched off (Table 3, LM): concat(s8, masks) and convolutions → s8′."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        inputs = S8 + config.mask_channels + config.coordinate_channels
        self.body = nn.Sequential(conv_bn(inputs, 64), conv_bn(64, 32))

    def forward(
        self,
        previous_s8: Float[Tensor, "b 32 h w"],
        masks: Float[Tensor, "b m h w"],
        s8: Float[Tensor, "b 32 h w"],
        coordinates: Float[Tensor, "1 axes h w"],
    ) -> tuple[Map, None]:
        shared = torch.cat([masks, coordinates.expand(masks.shape[0], -1, -1, -1)], dim=1)
        return self.body(torch.cat([s8, shared], dim=1)), None


class LongTermSimilarity(nn.Module):
    """s8′ ⊕ A → the long-term similarity map Sᴸ: 5×5 with 16 groups, then 1×1."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c = 2 * config.template_channels
        self.body = nn.Sequential(
            nn.Conv2d(c, c, 5, padding=2, groups=16, bias=False), conv_bn(c, 32, 1)
        )

    def forward(self, s8: Map, attention: Map) -> Float[Tensor, "b 32 h w"]:
        similarity: Tensor = self.body(torch.cat([s8, attention], dim=1))
        return similarity
