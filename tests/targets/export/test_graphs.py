"""The graphs for export compute what the network does, in torch: formats come after."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from edge_ttvos.contracts import BORDER, MEAN, FrameSpec
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.targets.export.graphs import build_graphs, channel_first, channel_last
from edge_ttvos.targets.form import Form

FRAME = FrameSpec(48, 80)
RELEASE = PRESETS["release"]
CONFIGS = [
    PRESETS["paper"],
    RELEASE,
    *(RELEASE.without(switch) for switch in ("long_term", "short_term", "update")),
]
FORMS = [
    Form(),
    Form(transposed=True, early_cast=True),
    Form(coordinates="input", plain=True),
]


@pytest.fixture(params=CONFIGS, ids=lambda config: config.name)
def network(request: pytest.FixtureRequest) -> TTVOS:
    """Random weights, and statistics as if it had been trained."""
    return lively(request.param)


def lively(config: NetworkConfig) -> TTVOS:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = TTVOS(config)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
    return network.eval()


def bordered(frame: Tensor) -> Tensor:
    """(1, 3, H, W) → the graph's input (1, H + 1, W + 1, 3)."""
    canvas = torch.tensor(MEAN, dtype=torch.uint8).expand(1, *FRAME.input_shape).clone()
    canvas[:, BORDER:, BORDER:] = channel_last(frame)
    return canvas


def assert_close(got: Tensor, want: Tensor) -> None:
    assert want.std() > 1e-4
    torch.testing.assert_close(got, want, rtol=1e-4, atol=2e-5 * float(want.abs().max()))


@torch.inference_mode()
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_encode_takes_bytes_and_its_border(network: TTVOS, form: Form) -> None:
    graph = build_graphs(network, FRAME, form)[0]
    frame = torch.randint(0, 256, (1, 3, 48, 80), dtype=torch.uint8)
    found = dict(zip(graph.outputs, graph.module(bordered(frame)), strict=True))
    for name, wanted in network.encode(frame)._asdict().items():
        assert_close(found[name], channel_last(wanted))


@torch.inference_mode()
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_embed_gives_the_embedding(network: TTVOS, form: Form) -> None:
    graph = build_graphs(network, FRAME, form)[1]
    inputs = {name: torch.randn_like(x) for name, x in graph.inputs.items()}
    if "coordinates" in inputs:
        inputs["coordinates"] = graph.inputs["coordinates"]
    assert ("coordinates" in inputs) == (form.coordinates == "input" and network.config.coordinates)
    found = dict(zip(graph.outputs, graph.module(**inputs), strict=True))
    given = (channel_first(inputs[name]) for name in ("previous_s8", "masks", "s8"))
    modified, embedding = network.embed(*given)
    wanted = {"modified_s8": modified, **(embedding._asdict() if embedding else {})}
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert_close(found[name], channel_last(tensor))


@torch.inference_mode()
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_decode_gives_log_odds_and_the_update_weight(network: TTVOS, form: Form) -> None:
    graph = build_graphs(network, FRAME, form)[2]
    inputs = {name: torch.randn_like(x) for name, x in graph.inputs.items()}
    found = dict(zip(graph.outputs, graph.module(**inputs), strict=True))
    x = {name: channel_first(tensor) for name, tensor in inputs.items()}
    output = network.decode(
        Features(x["s4"], x["modified_s8"], x["s16"]),
        x["modified_s8"],
        x["attention"],
        x["previous_s16"],
        x["masks"],
    )
    assert_close(found.pop("log_odds"), output.logits[:, 1] - output.logits[:, 0])
    if output.weight is not None:
        torch.testing.assert_close(found.pop("update_weight"), output.weight)
    assert not found


def test_the_network_itself_is_left_as_it_was(network: TTVOS) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    build_graphs(network, FRAME)
    assert all(torch.equal(before[name], x) for name, x in network.state_dict().items())


def test_a_network_in_training_is_refused() -> None:
    with pytest.raises(ValueError, match="eval mode"):
        build_graphs(lively(RELEASE).train(), FRAME)


def test_sizes_that_no_32_divides_are_exported_too() -> None:
    frame = FrameSpec(48, 112)  # the 1/32 map is 2×4, half of 1/16 rounded up
    graphs = build_graphs(lively(RELEASE), frame)
    with torch.inference_mode():
        s4, s8, s16 = graphs[0].module(graphs[0].inputs["frame"])
    assert (s4.shape, s8.shape) == ((1, 12, 28, 16), (1, 6, 14, 32))
    assert s16.shape == (1, 3, 7, 192)
