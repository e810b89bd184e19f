from __future__ import annotations

import pytest
import torch
from torch import nn

from edge_ttvos.targets.export.phases import Phases
from edge_ttvos.targets.export.upsampling import Doubling, Quadrupling

LAYERS = [
    Doubling(nn.ConvTranspose2d(6, 3, 4, 2, 1)),
    Quadrupling(nn.ConvTranspose2d(6, 4, 4, 2, 1)),
]


@torch.inference_mode()
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_phases_are_the_convolution_and_its_interleaving(layer: Doubling | Quadrupling) -> None:
    x = torch.randn(1, 6, 5, 7)
    phases = Phases(layer.convolution, layer.factor)
    torch.testing.assert_close(phases(x), layer(x), rtol=1e-5, atol=1e-5)
    assert len(phases.rows) == layer.factor
