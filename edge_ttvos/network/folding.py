"""Batch normalisation folded into the convolutions before it: the network as it is run."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edge_ttvos.network.ttvos import TTVOS


def fold_batchnorm(network: TTVOS) -> TTVOS:
    """A copy without batch normalisation that computes the same in eval mode.

    Raises:
        ValueError: the network is in training mode.
    """
    if network.training:
        raise ValueError("batch normalisation folds in eval mode only: call network.eval() first")
    folded = copy.deepcopy(network)
    for module in list(folded.modules()):
        if isinstance(module, nn.Sequential):
            _fold(module)
    return folded


def _fold(sequence: nn.Sequential) -> None:
    for index in range(len(sequence) - 1):
        convolution, normalisation = sequence[index], sequence[index + 1]
        if isinstance(convolution, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
            sequence[index] = fuse_conv_bn_eval(convolution, normalisation)
            sequence[index + 1] = nn.Identity()
