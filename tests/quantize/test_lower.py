"""Lowered graphs compute what the network computes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from edge_ttvos.contracts import MEAN, FrameSpec
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.folding import fold_batchnorm
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.quantize.graph import macs
from edge_ttvos.quantize.lower import lower
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.quantize.weights import Kernels

CONFIGS = {
    "paper": PRESETS["paper"],
    "release": PRESETS["release"],
    "no long term": PRESETS["release"].without("long_term"),
    "no short term": PRESETS["release"].without("short_term"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_lowered_graphs_compute_the_same(name: str) -> None:
    torch.manual_seed(0)
    config = CONFIGS[name]
    network = TTVOS(config).eval()
    frame = FrameSpec(48, 112)  # 1/16 maps of odd sides, and 1/32 maps that do not halve them
    graphs = lower(network, frame)
    simulation = Simulation(graphs, Kernels.of(graphs), None)
    folded = fold_batchnorm(network)
    picture = torch.randint(0, 256, (1, 3, 48, 112)).float()
    mean = torch.tensor(MEAN).view(1, 3, 1, 1).float()
    bordered = F.pad(picture - mean, (1, 0, 1, 0)) + mean
    masks = torch.rand(1, config.mask_channels, 6, 14)
    with torch.no_grad():
        wanted = folded.encode(picture)
        got = simulation("encode", {"frame": bordered})
        for key, value in zip(("s4", "s8", "s16"), wanted, strict=True):
            torch.testing.assert_close(got[key], value, atol=1e-4, rtol=1e-4)
        modified, maps = folded.embed(wanted.s8.flip(3), masks, wanted.s8)
        inputs = {"previous_s8": wanted.s8.flip(3), "masks": masks, "s8": wanted.s8}
        embedded = simulation("embed", inputs)
        torch.testing.assert_close(embedded["modified_s8"], modified, atol=1e-4, rtol=1e-4)
        attention = torch.rand_like(modified)
        output = folded.decode(wanted, modified, attention, wanted.s16.flip(3), masks)
        decoded = simulation(
            "decode",
            {
                "s4": wanted.s4,
                "modified_s8": modified,
                "attention": attention,
                "s16": wanted.s16,
                "previous_s16": wanted.s16.flip(3),
                "masks": masks,
            },
        )
    log_odds = output.logits[:, 1:] - output.logits[:, :1]
    torch.testing.assert_close(decoded["log_odds"], log_odds, atol=1e-4, rtol=1e-4)
    assert (maps is not None) == ("f" in embedded)
    assert (output.weight is not None) == ("update_weight" in decoded)
    if maps is not None:
        torch.testing.assert_close(embedded["g"], maps.g, atol=1e-4, rtol=1e-4)
    if output.weight is not None:
        torch.testing.assert_close(decoded["update_weight"].flatten(), output.weight)


def test_layers_are_called_as_in_the_network_and_count_their_macs() -> None:
    network = TTVOS(PRESETS["release"]).eval()
    graphs = lower(network, FrameSpec(480, 864))
    folded = fold_batchnorm(network)
    modules = dict(folded.named_modules())
    for graph in graphs:
        for node in graph.layers:
            own = node.name.removeprefix("last").removesuffix(".convolution")
            assert own in modules or node.name.startswith("last"), node.name
    total = sum(macs(graph, node) for graph in graphs for node in graph.nodes)
    assert 5.3e9 < total < 5.7e9  # DESIGN: about 5.5 GMAC a frame with one object
