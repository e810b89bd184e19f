from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.ttvos import TTVOS

MakeNetwork = Callable[..., TTVOS]


@pytest.fixture
def make_network() -> MakeNetwork:
    """A network in eval mode with random weights, and statistics as if it had been trained."""

    def make(config: NetworkConfig, seed: int = 0) -> TTVOS:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = TTVOS(config)
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    assert module.running_mean is not None
                    assert module.running_var is not None
                    module.running_mean.normal_(0, 0.2)
                    module.running_var.uniform_(0.5, 2)
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    nn.init.normal_(module.bias, 0, 0.2)
        return network.eval()

    return make
