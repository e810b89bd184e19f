from __future__ import annotations

import pytest
import torch
from torch import nn

from edge_ttvos.targets.export.plain import Maximum, dense, plain


@torch.inference_mode()
@pytest.mark.parametrize(
    ("inputs", "outputs", "groups", "options"),
    [
        (32, 32, 8, {"padding": 2}),
        (64, 64, 16, {"padding": 2, "bias": False}),
        (6, 12, 3, {"stride": 2, "dilation": 2}),
        (5, 5, 5, {}),
    ],
)
def test_a_dense_convolution_computes_what_the_groups_do(
    inputs: int, outputs: int, groups: int, options: dict[str, int]
) -> None:
    grouped = nn.Conv2d(inputs, outputs, 5, groups=groups, **options)
    x = torch.randn(1, inputs, 13, 17)
    made = dense(grouped)
    assert (made.groups, made.weight.shape[1]) == (1, inputs)
    torch.testing.assert_close(made(x), grouped(x), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_nothing_but_zeros_stands_between_the_groups() -> None:
    grouped = nn.Conv2d(6, 4, 1, groups=2)
    weight = dense(grouped).weight[:, :, 0, 0]
    assert torch.count_nonzero(weight[:2, 3:]) == torch.count_nonzero(weight[2:, :3]) == 0
    torch.testing.assert_close(weight[2:, 3:], grouped.weight[2:, :, 0, 0], rtol=0, atol=0)


@torch.inference_mode()
def test_a_maximum_is_a_leaky_relu() -> None:
    x = torch.tensor([-3.0, -0.5, 0.0, 0.5, 3.0])
    torch.testing.assert_close(Maximum(0.2)(x), nn.functional.leaky_relu(x, 0.2), rtol=0, atol=0)


@pytest.mark.parametrize("slope", [-0.1, 1.5])
def test_a_slope_for_which_the_two_differ_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match="slope must be 0 to 1"):
        Maximum(slope)


def test_layers_are_replaced_at_any_depth() -> None:
    module = nn.Sequential(
        nn.Sequential(nn.Conv2d(4, 4, 3, groups=2), nn.LeakyReLU(0.2)), nn.Conv2d(4, 4, 1)
    )
    last = module[1]
    kinds = [type(m) for m in plain(module).modules()]
    assert nn.LeakyReLU not in kinds
    assert all(m.groups == 1 for m in module.modules() if isinstance(m, nn.Conv2d))
    assert module[1] is last
