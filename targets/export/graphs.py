"""The three static graphs as torch modules: channel-last in and out, weights ready for export.

Batch normalisation is folded; mean and deviation too, into the first convolution, whose padding is
part of the input (``contracts.FrameSpec``). The decoder's last layer gives the difference of its
two channels. Inputs and outputs carry the names of ``INPUTS`` and ``OUTPUTS`` in every format.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edge_ttvos.contracts import S4, S8, S16, FrameSpec
from edge_ttvos.network.folding import fold_batchnorm
from edge_ttvos.network.hrnet import IMAGE_STD
from edge_ttvos.network.template import MaskedFeatures, coordinate_maps
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.targets.export.plain import plain
from edge_ttvos.targets.export.upsampling import Doubling, Quadrupling
from edge_ttvos.targets.form import Coordinates, Form


@dataclass(frozen=True)
class Graph:
    """One graph ready for export.

    Attributes:
        name: ``encode``, ``embed``, ``decode`` or ``fused``.
        module: takes ``inputs`` in order and gives a tuple in the order of ``outputs``.
        inputs: example tensors by name.
        outputs: names.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def build_graphs(network: TTVOS, frame: FrameSpec, form: Form | None = None) -> tuple[Graph, ...]:
    """Encode, embed and decode of a network in eval mode, for frames of one size.

    Args:
        network: with its batch normalisation.
        frame: the graph's input.
        form: None: the default one.

    Raises:
        ValueError: the network is in training mode.
    """
    folded, form = fold_batchnorm(network), form or Form()
    graphs = (
        _encode(folded, frame, form.early_cast),
        _embed(folded, frame, form.coordinates),
        _decode(folded, frame, form.transposed),
    )
    if form.plain:
        for graph in graphs:
            plain(graph.module)
    return graphs


def _encode(network: TTVOS, frame: FrameSpec, early_cast: bool) -> Graph:
    inputs = {"frame": torch.zeros(1, *frame.input_shape, dtype=torch.uint8)}
    return Graph("encode", Encode(network, frame, early_cast), inputs, ("s4", "s8", "s16"))


def _embed(network: TTVOS, frame: FrameSpec, coordinates: Coordinates) -> Graph:
    config, size = network.config, frame.at(8)
    inputs = {
        "previous_s8": torch.zeros(1, *size, S8),
        "masks": torch.zeros(1, *size, config.mask_channels),
        "s8": torch.zeros(1, *size, S8),
    }
    maps = coordinate_maps(*size) if config.coordinates else torch.zeros(1, 0, *size)
    if coordinates == "input" and config.coordinates:
        inputs["coordinates"] = channel_last(maps)
    outputs = ("modified_s8", "f", "g", "q")[: 4 if config.long_term else 1]
    return Graph("embed", Embed(network, maps), inputs, outputs)


def _decode(network: TTVOS, frame: FrameSpec, transposed: bool) -> Graph:
    config, size = network.config, frame.at(8)
    inputs = {
        "s4": torch.zeros(1, *frame.at(4), S4),
        "modified_s8": torch.zeros(1, *size, S8),
        "attention": torch.zeros(1, *size, config.template_channels),
        "s16": torch.zeros(1, *frame.at(16), S16),
        "previous_s16": torch.zeros(1, *frame.at(16), S16),
        "masks": torch.zeros(1, *size, config.mask_channels),
    }
    weighted = network.decoder.update_weight is not None
    outputs = ("log_odds", "update_weight") if weighted else ("log_odds",)
    return Graph("decode", Decode(network, transposed), inputs, outputs)


def channel_first(x: Tensor) -> Tensor:
    """(1, h, w, c) → (1, c, h, w)."""
    return x.permute(0, 3, 1, 2)


def channel_last(x: Tensor) -> Tensor:
    """(1, c, h, w) → (1, h, w, c)."""
    return x.permute(0, 2, 3, 1)


class Encode(nn.Module):
    """Frame uint8 (1, H + 1, W + 1, 3) → s4, s8, s16, each (1, h, w, c) float32."""

    def __init__(self, network: TTVOS, frame: FrameSpec, early_cast: bool) -> None:
        super().__init__()
        self.early_cast = early_cast
        self.backbone = copy.deepcopy(network.backbone)
        stem = self.backbone.stem
        assert isinstance(stem[0], nn.Sequential)
        convolution = stem[0][0]
        assert isinstance(convolution, nn.Conv2d)
        stem[0][0] = fold_normalisation(convolution, frame.mean)

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        values = channel_first(frame.float()) if self.early_cast else channel_first(frame).float()
        maps = self.backbone.stages(self.backbone.stem(values))
        return tuple(channel_last(m) for m in maps)


def fold_normalisation(convolution: nn.Conv2d, mean: tuple[int, int, int]) -> nn.Conv2d:
    """The convolution of (x − mean) / deviation as one of x, whose input brings its own padding."""
    folded = nn.Conv2d(3, convolution.out_channels, 3, 2)
    assert folded.bias is not None
    std = torch.tensor(IMAGE_STD).view(1, 3, 1, 1)
    assert convolution.bias is not None, "fold batch normalisation first"
    with torch.no_grad():
        folded.weight.copy_(convolution.weight / std)
        colour = torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1)
        folded.bias.copy_(convolution.bias - (folded.weight * colour).sum(dim=(1, 2, 3)))
    return folded


class Embed(nn.Module):
    """s8 of both frames and the masks → s8′, and f, g, q where there is a template.

    Inputs are joined channel-last, where they come from, so that no format needs a transpose.
    """

    coordinates: Tensor

    def __init__(self, network: TTVOS, coordinates: Tensor) -> None:
        super().__init__()
        self.embedding = copy.deepcopy(network.embedding)
        self.register_buffer("coordinates", channel_last(coordinates).contiguous())

    def forward(
        self, previous_s8: Tensor, masks: Tensor, s8: Tensor, coordinates: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        maps = self.coordinates if coordinates is None else coordinates
        before = channel_first(torch.cat([previous_s8, masks, maps], dim=-1))
        now = channel_first(torch.cat([s8, masks, maps], dim=-1))
        branches = self.embedding
        if isinstance(branches, MaskedFeatures):
            return (channel_last(branches.body(now)),)
        found = (branches.s8(now), branches.f(before), branches.g(before), branches.q(now))
        return tuple(channel_last(m) for m in found)


class Decode(nn.Module):
    """Features, s8′, A and masks → log-odds (1, H, W), and w (1,) where it is learnt."""

    def __init__(self, network: TTVOS, transposed: bool) -> None:
        super().__init__()
        self.short_term = copy.deepcopy(network.short_term)
        self.similarity = copy.deepcopy(network.similarity)
        self.decoder = copy.deepcopy(network.decoder)
        last = foreground_less_background(network.decoder.up4)
        self.last = nn.Sequential(last, nn.PixelShuffle(2)) if transposed else Quadrupling(last)
        if not transposed:
            for module, name in (
                (self.short_term, "up"),
                (self.decoder, "up8"),
                (self.decoder, "up_short"),
            ):
                setattr(module, name, Doubling(getattr(module, name)))

    def forward(
        self,
        s4: Tensor,
        modified_s8: Tensor,
        attention: Tensor,
        s16: Tensor,
        previous_s16: Tensor,
        masks: Tensor,
    ) -> tuple[Tensor, ...]:
        similarity = channel_first(modified_s8)
        if self.similarity is not None:
            joined = torch.cat([modified_s8, attention], dim=-1)
            similarity = self.similarity.body(channel_first(joined))
        coarse = self.short_term(
            channel_first(s16), channel_first(previous_s16), channel_first(masks)
        )
        joined, weight = self.decoder.join(channel_first(s4), similarity, coarse)
        log_odds = self.last(joined)[:, 0]
        return (log_odds,) if weight is None else (log_odds, weight)


def foreground_less_background(up: nn.ConvTranspose2d) -> nn.ConvTranspose2d:
    """The last layer for one channel: its two are linear, and only their difference is used."""
    half = up.out_channels // 2
    folded = nn.ConvTranspose2d(up.in_channels, half, 4, 2, 1)
    assert up.bias is not None
    assert folded.bias is not None
    with torch.no_grad():
        folded.weight.copy_(up.weight[:, half:] - up.weight[:, :half])
        folded.bias.copy_(up.bias[half:] - up.bias[:half])
    return folded
