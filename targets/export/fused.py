"""One graph for one object's whole frame, for targets that run the template's arithmetic too.

GPUs gain from one launch instead of three with copies between them; in float there is nothing to
lose. The aggregation over several objects stays outside, as do the masks' means.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from edge_ttvos.contracts import S8, S16, FrameSpec
from edge_ttvos.network.template import embedding_matrix, read_template
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.targets.export.graphs import Graph, build_graphs, channel_first, channel_last
from edge_ttvos.targets.form import Form


def build_fused(network: TTVOS, frame: FrameSpec, form: Form | None = None) -> Graph:
    """The fused graph of a network with long-term matching, for frames of one size.

    Inputs: the frame (1, H + 1, W + 1, 3) uint8, the previous frame's s8 and s16, the masks, the
    template (1, c, c), and ``step`` (1,): how far the template moves, 1 at the first update, 1/t by
    eq. (2), w/(1 + w) in ``release``, 0 for a template that stays. Outputs: s8 and s16 for the next
    frame, the template moved, log-odds (1, H, W), and w (1,) where it is learnt.

    Raises:
        ValueError: the network has no template, or is in training mode.
    """
    config = network.config
    if not config.long_term:
        raise ValueError(f"{config.name} has no template to fuse: take the three graphs")
    encode, embed, decode = build_graphs(network, frame, form or Form(transposed=True))
    c = config.template_channels
    inputs = {
        "frame": encode.inputs["frame"],
        "previous_s8": torch.zeros(1, *frame.at(8), S8),
        "previous_s16": torch.zeros(1, *frame.at(16), S16),
        "masks": embed.inputs["masks"],
        "template": torch.zeros(1, c, c),
        "step": torch.ones(1),
    }
    module = Fused(encode.module, embed.module, decode.module, config.scaled_softmax)
    return Graph("fused", module, inputs, ("s8", "s16", "next_template", *decode.outputs))


class Fused(nn.Module):
    """Encode, embed, eq. (1) to (3), decode."""

    def __init__(self, encode: Any, embed: Any, decode: Any, scaled: bool) -> None:
        super().__init__()
        self.encode, self.embed, self.decode = encode, embed, decode
        self.scaled = scaled

    def forward(
        self,
        frame: Tensor,
        previous_s8: Tensor,
        previous_s16: Tensor,
        masks: Tensor,
        template: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, ...]:
        s4, s8, s16 = self.encode(frame)
        modified_s8, f, g, q = self.embed(previous_s8, masks, s8)
        matrix = embedding_matrix(channel_first(f), channel_first(g), self.scaled)
        template = template + step * (matrix - template)
        attention = channel_last(read_template(template, channel_first(q)))
        decoded = self.decode(s4, modified_s8, attention, s16, previous_s16, masks)
        return (s8, s16, template, *decoded)
