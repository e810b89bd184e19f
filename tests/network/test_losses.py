from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from edge_ttvos.network.losses import (
    TransitionHead,
    bootstrapped_cross_entropy,
    soft_jaccard_each,
    temporal_consistency,
)


def test_temporal_consistency_by_hand() -> None:
    """One row of two pixels: π̂ − (H − Ĥ) is 0.5, −1 for background and 0, 0.25 for foreground."""
    transition = torch.tensor([[[[0.5, -0.5]], [[1.0, -0.25]]]])
    truth = torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]])
    previous = torch.tensor([[[[0.0, 0.5]], [[0.0, 0.5]]]])
    loss = temporal_consistency(transition, truth, previous)
    assert loss.item() == pytest.approx((0.5**2 + 1.0**2 + 0.0**2 + 0.25**2) / 4)


def test_what_was_estimated_a_frame_ago_is_a_target_not_a_lever() -> None:
    transition = torch.rand(2, 2, 3, 4, requires_grad=True)
    previous = torch.rand(2, 2, 3, 4, requires_grad=True)
    truth = torch.rand(2, 2, 3, 4)
    temporal_consistency(transition, truth, previous).backward()
    assert previous.grad is None
    difference = transition - (truth - previous)
    torch.testing.assert_close(transition.grad, 2 * difference.detach() / difference.numel())


def test_all_pixels_kept_is_plain_cross_entropy() -> None:
    logits, truth = torch.randn(3, 2, 5, 7), (torch.rand(3, 5, 7) > 0.5).float()
    want = F.cross_entropy(logits, truth.long())
    torch.testing.assert_close(bootstrapped_cross_entropy(logits, truth, 1.0), want)


def logits_that_cost(costs: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (b, 2, 2, 2) and a foreground truth whose pixels cost −log p each what is listed."""
    cost = torch.tensor(costs).view(-1, 2, 2)
    foreground = -torch.log(torch.expm1(cost))  # log(p / (1 − p)) for −log p = cost
    return torch.stack([torch.zeros_like(foreground), foreground], dim=1), torch.ones_like(cost)


@pytest.mark.parametrize(
    ("keep", "want"),
    [
        (0.5, (3.0 + 2.0 + 0.4 + 0.3) / 4),  # the two hardest of each sample, not of the batch
        (0.25, (3.0 + 0.4) / 2),
        (0.75, (3.0 + 2.0 + 1.0 + 0.4 + 0.3 + 0.2) / 6),
        (0.01, (3.0 + 0.4) / 2),  # at least one pixel
        (1.0, (1.0 + 3.0 + 0.5 + 2.0 + 0.1 + 0.2 + 0.3 + 0.4) / 8),
    ],
)
def test_the_hardest_pixels_of_each_sample_are_kept(keep: float, want: float) -> None:
    logits, truth = logits_that_cost([[1.0, 3.0, 0.5, 2.0], [0.1, 0.2, 0.3, 0.4]])
    assert bootstrapped_cross_entropy(logits, truth, keep).item() == pytest.approx(want, rel=1e-5)


def test_easy_pixels_get_no_gradient() -> None:
    logits, truth = logits_that_cost([[1.0, 3.0, 0.5, 2.0]])
    logits.requires_grad_()
    bootstrapped_cross_entropy(logits, truth, 0.5).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 1] != 0).tolist() == [[False, True], [False, True]]


def test_soft_jaccard_by_hand() -> None:
    """First sample: intersection 1.0, union 2.5; second: both empty, so nothing is lost."""
    foreground = torch.tensor([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    truth = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    union = 1 + 1 + 1 + 0  # p + y − p·y, pixel by pixel
    want = [1 - (1.0 + 1) / (union + 1), 0]
    assert soft_jaccard_each(foreground, truth).tolist() == pytest.approx(want)


def test_soft_jaccard_falls_as_the_mask_improves() -> None:
    truth = torch.zeros(1, 8, 8)
    truth[:, 2:6, 2:6] = 1
    losses = [soft_jaccard_each(truth * share, truth).item() for share in (0.0, 0.3, 0.7, 1.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == 0
    assert math.isclose(losses[0], 1 - 1 / 17, rel_tol=1e-6)


def test_the_transition_head_is_one_convolution_to_two_channels() -> None:
    head = TransitionHead()
    assert head(torch.randn(2, 32, 5, 6)).shape == (2, 2, 5, 6)
    assert sum(parameter.numel() for parameter in head.parameters()) == 32 * 2 * 9 + 2
