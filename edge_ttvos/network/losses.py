"""Training losses: cross-entropy, Dice, and the paper's temporal consistency (eq. 4 and 5)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class TransitionHead(nn.Module):
    """Sᴸ → π̂, the expected change of background and foreground; used in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(32, 2, 3, padding=1)

    def forward(self, similarity: Float[Tensor, "b 32 h8 w8"]) -> Float[Tensor, "b 2 h8 w8"]:
        transition: Tensor = self.convolve(similarity)
        return transition


def temporal_consistency(
    transition: Float[Tensor, "b 2 h8 w8"],
    truth: Float[Tensor, "b 2 h8 w8"],
    previous: Float[Tensor, "b 2 h8 w8"],
) -> Float[Tensor, ""]:
    """L_tc of eq. (4): mean of (π̂ₜ − (Hₜ − Ĥₜ₋₁))², with Ĥₜ₋₁ detached."""
    return F.mse_loss(transition, truth - previous.detach())


def bootstrapped_cross_entropy(
    logits: Float[Tensor, "b 2 h w"], truth: Float[Tensor, "b h w"], keep: float
) -> Float[Tensor, ""]:
    """Cross-entropy over the hardest ``keep`` share of each sample's pixels; 1.0 keeps all."""
    loss = F.binary_cross_entropy_with_logits(logits[:, 1] - logits[:, 0], truth, reduction="none")
    if keep >= 1.0:
        return loss.mean()
    flat = loss.flatten(1)
    return flat.topk(max(1, int(keep * flat.shape[1])), dim=1, sorted=False).values.mean()


def soft_jaccard_each(
    foreground: Float[Tensor, "b h w"], truth: Float[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """1 − soft intersection over union of each sample, one pixel of smoothing."""
    intersection = (foreground * truth).sum(dim=(1, 2))
    union = (foreground + truth - foreground * truth).sum(dim=(1, 2))
    ratio: Tensor = (intersection + 1) / (union + 1)
    return 1 - ratio
