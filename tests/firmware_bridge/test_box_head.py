"""The board's box head against PyTorch's, and what its file may hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from edge_ttvos.firmware_bridge.box_head import PLACES, SHAPES, SIZE, BoxHead, read_weights
from edge_ttvos.network import box_head, hrnet


@pytest.fixture(scope="module")
def trained() -> box_head.BoxHead:
    torch.manual_seed(0)
    head = box_head.BoxHead()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.mul_(3)
    return head


@pytest.fixture(scope="module")
def flat(trained: box_head.BoxHead) -> np.ndarray:
    return nn.utils.parameters_to_vector(trained.parameters()).detach().numpy()


def test_parameters_stand_in_pytorchs_order(trained: box_head.BoxHead) -> None:
    shapes = {name: tuple(value.shape) for name, value in trained.state_dict().items()}
    assert list(shapes.items()) == list(SHAPES.items())
    assert sum(value.numel() for value in trained.parameters()) == SIZE == 57_601


@pytest.mark.parametrize("size", [(48, 80), (80, 48), (16, 16), (160, 256)])
def test_it_computes_what_was_trained(
    size: tuple[int, int], trained: box_head.BoxHead, flat: np.ndarray
) -> None:
    height, width = size
    rng = np.random.default_rng(0)
    maps = [
        rng.random((height // stride, width // stride, channels)).astype(np.float32)
        for stride, channels in ((4, 16), (8, 32), (16, 192))
    ]
    prior = np.zeros(size, np.float32)
    prior[height // 4 : height // 2, 3 : width // 2] = rng.random()
    features = hrnet.Features(*(torch.from_numpy(m).permute(2, 0, 1)[None] for m in maps))
    with torch.no_grad():
        expected = trained(features, torch.from_numpy(prior)[None])[0].numpy()
    assert expected.std() > 0.1, "the test would show nothing"

    found = prior.copy()  # may hold the prior itself
    BoxHead(flat).log_odds(*maps, found, found)

    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_large_frames_are_compared_in_parts() -> None:
    """The largest size above takes more than one."""
    assert PLACES < 160 // 8 * (256 // 8)


def test_weights_are_read_as_they_were_written(flat: np.ndarray) -> None:
    np.testing.assert_array_equal(read_weights(flat.astype("<f4").tobytes()), flat)


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="must have 230404 bytes; got 8"):
        read_weights(bytes(8))


def test_weights_that_are_no_numbers_are_refused(flat: np.ndarray) -> None:
    spoilt = flat.copy()
    spoilt[7] = np.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        read_weights(spoilt.astype("<f4").tobytes())
