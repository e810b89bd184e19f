from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from edge_ttvos.contracts import MEAN
from edge_ttvos.network.hrnet import HRNet, Shrink

MEAN_FRAME = torch.tensor(MEAN, dtype=torch.float32).view(1, 3, 1, 1)


def on_meta() -> HRNet:
    with torch.device("meta"):
        return HRNet().eval()


def test_parameters() -> None:
    learnt = sum(parameter.numel() for parameter in HRNet().parameters())
    assert learnt == pytest.approx(1.478e6, rel=0.01)


def test_macs_at_480x864() -> None:
    network = on_meta()
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 480, 864, device="meta"))
    assert counter.get_total_flops() / 2 == pytest.approx(4.992e9, rel=0.01)


@pytest.mark.parametrize(
    "size", [(480, 864), (240, 432), (16, 16), (16, 48), (48, 16), (112, 80), (304, 176)]
)
def test_features_stand_at_a_quarter_an_eighth_and_a_sixteenth(size: tuple[int, int]) -> None:
    height, width = size
    features = on_meta()(torch.empty(2, 3, height, width, device="meta"))
    assert features.s4.shape == (2, 16, height // 4, width // 4)
    assert features.s8.shape == (2, 32, height // 8, width // 8)
    assert features.s16.shape == (2, 192, height // 16, width // 16)


@torch.inference_mode()
def test_a_frame_is_normalised_and_its_bytes_are_its_values() -> None:
    network = HRNet().eval()
    seen: list[Tensor] = []
    network.stem.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    frame = torch.randint(0, 256, (1, 3, 32, 48), dtype=torch.uint8)
    from_bytes, from_floats = network(frame), network(frame.float())
    for got, want in zip(from_bytes, from_floats, strict=True):
        torch.testing.assert_close(got, want)
    network(MEAN_FRAME.expand(1, 3, 16, 16))
    assert torch.equal(seen[-1], torch.zeros(1, 3, 16, 16))
    red = torch.tensor([124 + 58.395, 116, 104]).view(1, 3, 1, 1)
    network(red.expand(1, 3, 16, 16))
    torch.testing.assert_close(seen[-1][0, :, 0, 0], torch.tensor([1.0, 0.0, 0.0]))


@torch.inference_mode()
def test_every_resolution_hears_of_the_whole_frame() -> None:
    """The exchange joins the branches: a far corner reaches each map, the s32 branch s16's end."""
    network = HRNet().eval()
    frame = torch.zeros(1, 3, 64, 96)
    changed = frame.clone()
    changed[..., :8, :8] = 255
    for before, after in zip(network(frame), network(changed), strict=True):
        assert not torch.equal(before[..., -1, -1], after[..., -1, -1])
    assert not torch.equal(network(frame).s16[:, 64:], network(changed).s16[:, 64:])


def test_shrinking_keeps_relu_from_the_last_convolution() -> None:
    body = Shrink(16, 64, steps=2).body
    assert [isinstance(layers[-1], nn.ReLU) for layers in body.children()] == [True, False]  # type: ignore[index]
