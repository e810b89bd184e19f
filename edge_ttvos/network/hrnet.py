"""HRNetV2-W18-Small-v1, the backbone (Sun et al. 2019; the configuration is DESIGN's table).

A stem of two stride-2 convolutions, one bottleneck, then three modules that keep two, three and
four resolutions side by side and exchange them: down by stride-2 convolutions, up by bilinear
interpolation to the exact size of the branch that receives it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.contracts import MEAN

BRANCHES = (16, 32, 64, 128)  # channels at 1/4, 1/8, 1/16, 1/32
STEM = 64
BLOCKS = 2  # basic blocks a branch

IMAGE_STD = (58.395, 57.12, 57.375)  # RGB, of values 0…255


class Features(NamedTuple):
    """Backbone features, NCHW float: s4 16 channels, s8 32, s16 192."""

    s4: Float[Tensor, "b 16 h4 w4"]
    s8: Float[Tensor, "b 32 h8 w8"]
    s16: Float[Tensor, "b 192 h16 w16"]


def conv_bn(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, relu: bool = True
) -> nn.Sequential:
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Bottleneck(nn.Module):
    """1×1 → 3×3 → 1×1 with a projected shortcut."""

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(inputs, width, 1), conv_bn(width, width), conv_bn(width, outputs, 1, relu=False)
        )
        self.shortcut = conv_bn(inputs, outputs, 1, relu=False)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        return F.relu(self.body(x) + self.shortcut(x))


class BasicBlock(nn.Module):
    """Two 3×3 convolutions around an identity shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(channels, channels), conv_bn(channels, channels, relu=False)
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return F.relu(self.body(x) + x)


class ResizeTo(nn.Module):
    """1×1 convolution, then bilinear interpolation to the receiver's exact size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = conv_bn(inputs, outputs, 1, relu=False)

    def forward(
        self, x: Float[Tensor, "b i h w"], like: Float[Tensor, "b o h2 w2"]
    ) -> Float[Tensor, "b o h2 w2"]:
        return resize(self.project(x), like)


class Shrink(nn.Module):
    """``steps`` stride-2 3×3 convolutions; all but the last keep the channels and end in ReLU."""

    def __init__(self, inputs: int, outputs: int, steps: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(conv_bn(inputs, inputs, stride=2) for _ in range(steps - 1)),
            conv_bn(inputs, outputs, stride=2, relu=False),
        )

    def forward(
        self, x: Float[Tensor, "b i h w"], like: Float[Tensor, "b o h2 w2"]
    ) -> Float[Tensor, "b o h2 w2"]:
        y: Tensor = self.body(x)
        return y


class Identity(nn.Module):
    """A branch's own contribution to itself."""

    def forward(
        self, x: Float[Tensor, "b c h w"], like: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        return x


def resize(x: Float[Tensor, "b c h w"], like: Float[Tensor, "b d h2 w2"]) -> Float[Tensor, ...]:
    """Bilinear interpolation to the exact size of ``like``."""
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Module(nn.Module):
    """Two basic blocks a branch, then every branch receives the sum of all."""

    def __init__(self, branches: tuple[int, ...]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(*(BasicBlock(c) for _ in range(BLOCKS))) for c in branches
        )
        self.exchange = nn.ModuleList(
            nn.ModuleList(self._path(branches, source, target) for source in range(len(branches)))
            for target in range(len(branches))
        )

    @staticmethod
    def _path(branches: tuple[int, ...], source: int, target: int) -> nn.Module:
        if source == target:
            return Identity()
        if source > target:
            return ResizeTo(branches[source], branches[target])
        return Shrink(branches[source], branches[target], target - source)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [blocks(x) for blocks, x in zip(self.blocks, maps, strict=True)]
        fused = []
        for like, paths in zip(maps, self.exchange, strict=True):
            assert isinstance(paths, nn.ModuleList)
            arriving = [path(x, like) for path, x in zip(paths, maps, strict=True)]
            fused.append(F.relu(functools.reduce(torch.add, arriving)))
        return fused


class HRNet(nn.Module):
    """RGB frames → features at 1/4, 1/8 and 1/16 (1.478 M parameters, 4.99 GMAC at 480×864)."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, STEM, stride=2), conv_bn(STEM, STEM, stride=2))
        self.stage1 = Bottleneck(STEM, 32, 128)
        self.to_s4 = conv_bn(128, BRANCHES[0])
        self.to_s8 = conv_bn(128, BRANCHES[1], stride=2)
        self.stage2 = Module(BRANCHES[:2])
        self.to_s16 = conv_bn(BRANCHES[1], BRANCHES[2], stride=2)
        self.stage3 = Module(BRANCHES[:3])
        self.to_s32 = conv_bn(BRANCHES[2], BRANCHES[3], stride=2)
        self.stage4 = Module(BRANCHES)
        self.register_buffer(
            "mean", torch.tensor(MEAN, dtype=torch.float32).view(1, 3, 1, 1), persistent=False
        )
        self.register_buffer("std", torch.tensor(IMAGE_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, frame: Float[Tensor, "b 3 h w"] | UInt8[Tensor, "b 3 h w"]) -> Features:
        """Encode RGB frames of values 0…255; height and width are multiples of 16."""
        return self.stages(self.stem((frame - self.mean) / self.std))

    def stages(self, x: Float[Tensor, "b 64 h4 w4"]) -> Features:
        """What follows the stem."""
        x = self.stage1(x)
        maps = self.stage2([self.to_s4(x), self.to_s8(x)])
        maps = self.stage3([*maps, self.to_s16(maps[-1])])
        s4, s8, s16, s32 = self.stage4([*maps, self.to_s32(maps[-1])])
        return Features(s4, s8, torch.cat([s16, resize(s32, s16)], dim=1))
