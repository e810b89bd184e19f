from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.folding import fold_batchnorm
from edge_ttvos.network.ttvos import TTVOS

MakeNetwork = Callable[..., TTVOS]

EVERY = [
    PRESETS["paper"],
    PRESETS["release"],
    *(PRESETS["release"].without(switch) for switch in ("long_term", "short_term", "update")),
]


@torch.inference_mode()
def three_frames(network: TTVOS) -> dict[str, Tensor]:
    """All that the network gives for two frames after the first."""
    generator = torch.Generator().manual_seed(1)
    frames = 255 * torch.rand(3, 1, 3, 48, 80, generator=generator)
    mask = torch.zeros(1, 48, 80)
    mask[:, 8:32, 16:48] = 1
    state = network.start(network.encode(frames[0]), mask)
    for frame in frames[1:]:
        output, state = network.step(network.encode(frame), state)
    s4, s8, s16 = state.features
    given = {"s4": s4, "s8": s8, "s16": s16, "logits": output.logits, "masks": state.masks}
    if state.template is not None:
        given |= {"template": state.template}
    return given


@pytest.mark.parametrize("config", EVERY, ids=lambda config: config.name)
def test_folded_computes_the_same(config: NetworkConfig, make_network: MakeNetwork) -> None:
    network = make_network(config)
    plain, folded = three_frames(network), three_frames(fold_batchnorm(network))
    assert folded.keys() == plain.keys()
    for name, want in plain.items():
        assert (folded[name] - want).norm() <= 1e-4 * want.norm(), name


def test_the_statistics_matter_here(make_network: MakeNetwork) -> None:
    """Else the test above could not tell a folded network from one whose statistics were lost."""
    network = make_network(PRESETS["release"])
    plain = three_frames(network)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    lost = three_frames(network)
    for name in ("s4", "s8", "s16", "logits"):
        assert (lost[name] - plain[name]).norm() > 0.1 * plain[name].norm(), name


@pytest.mark.parametrize("config", EVERY, ids=lambda config: config.name)
def test_no_batch_normalisation_is_left(config: NetworkConfig, make_network: MakeNetwork) -> None:
    network = make_network(config)
    before = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    folded = fold_batchnorm(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not any("running" in key for key in folded.state_dict())
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == before > 0


def test_the_original_keeps_its_weights(make_network: MakeNetwork) -> None:
    network = make_network(PRESETS["release"])
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fold_batchnorm(network)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_training_mode_is_refused(make_network: MakeNetwork) -> None:
    with pytest.raises(ValueError, match=r"network\.eval\(\)"):
        fold_batchnorm(make_network(PRESETS["paper"]).train())
