"""Ranges from what was seen: min-max, percentile, least squared error, least divergence.

An observer keeps the exact extremes of a value and a bounded, evenly spread sample of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from edge_ttvos.contracts import Quantization
from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.recipe import Recipe

PER_FRAME = 1024  # values kept of each frame
SHRINKS = 40  # ranges that are tried, from the whole down to a fifth of it
BINS = 2048  # of the histogram that entropy looks at


class Observed:
    """What was seen of one value.

    Args:
        name: for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.low, self.high = math.inf, -math.inf
        self._kept: list[Tensor] = []
        self.ranges: dict[tuple[object, ...], tuple[float, float]] = {}  # that were chosen

    def see(self, value: Tensor) -> None:
        """One frame's value, of any shape.

        Raises:
            QuantizationError: it holds NaN or infinity.
        """
        flat = value.detach().flatten()
        low, high = (float(side) for side in torch.aminmax(flat))
        if not math.isfinite(low + high):
            raise QuantizationError(
                f"{self.name} became NaN or infinite during calibration: the float model itself "
                "fails on this clip; run `edge-ttvos eval` on it"
            )
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.ranges.clear()
        step = -(-len(flat) // PER_FRAME)
        start = len(self._kept) % step  # other pixels in every frame
        self._kept.append(flat[start::step].clone())

    @property
    def sample(self) -> Tensor:
        """All that was kept."""
        return torch.cat(self._kept)


def choose(observed: Observed, recipe: Recipe, bits: int) -> Quantization:
    """Scale and offset for one value.

    Raises:
        QuantizationError: nothing was seen, or a constant.
    """
    if observed.low > observed.high:
        raise QuantizationError(f"{observed.name} was never seen during calibration")
    if observed.low == observed.high:
        raise QuantizationError(
            f"{observed.name} was {observed.low:g} in every pixel of every calibration frame: a "
            "constant has no scale. Calibrate on clips in which the object moves, or keep the "
            "layer in float_layers"
        )
    how = (recipe.observer, recipe.percentile, recipe.symmetric, bits)
    if how not in observed.ranges:  # many recipes of one calibration share most of theirs
        observed.ranges[how] = RANGES[recipe.observer](observed, recipe, bits)
    low, high = observed.ranges[how]
    return codes_of(low, high, bits, recipe.symmetric)


def codes_of(low: float, high: float, bits: int, symmetric: bool = False) -> Quantization:
    """The mapping whose codes span low…high, widened to hold 0 exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    if symmetric:
        return Quantization(max(-low, high) / (2 ** (bits - 1) - 1), 0, bits)
    scale = (high - low) / (2**bits - 1)
    least = -(2 ** (bits - 1))
    offset = round(least - low / scale)
    return Quantization(scale, min(max(offset, least), -least - 1), bits)


def _min_max(observed: Observed, recipe: Recipe, bits: int) -> tuple[float, float]:
    return observed.low, observed.high


def _percentile(observed: Observed, recipe: Recipe, bits: int) -> tuple[float, float]:
    ordered = observed.sample.sort().values
    last = len(ordered) - 1
    high = round(last * recipe.percentile / 100)
    return float(ordered[last - high]), float(ordered[high])


def _mse(observed: Observed, recipe: Recipe, bits: int) -> tuple[float, float]:
    """The range, shrunk evenly on both sides, with the least squared error."""
    sample = observed.sample
    best, found = math.inf, (observed.low, observed.high)
    for index in range(SHRINKS):
        share = 1 - 0.8 * index / SHRINKS
        low, high = share * observed.low, share * observed.high
        coded = fake(sample, codes_of(low, high, bits, recipe.symmetric))
        error = float((coded - sample).square().mean())
        if error < best:
            best, found = error, (low, high)
    return found


def _entropy(observed: Observed, recipe: Recipe, bits: int) -> tuple[float, float]:
    """The range whose codes diverge least (Kullback-Leibler) from what was seen.

    As TensorRT calibrates: what lies outside a range is counted at its edge.
    """
    sample = observed.sample
    best, found = math.inf, (observed.low, observed.high)
    for index in range(SHRINKS):
        share = 1 - 0.8 * index / SHRINKS
        low, high = min(share * observed.low, 0.0), max(share * observed.high, 0.0)
        inside = sample[(sample >= low) & (sample <= high)]
        clipped = torch.histc(sample.clamp(low, high), BINS, low, high)
        coded = _spread(torch.histc(inside, BINS, low, high), bits)
        p, q = (x / x.sum().clamp(min=1) for x in (clipped, coded))
        there = p > 0
        divergence = float((p[there] * (p[there] / q[there].clamp(min=1e-12)).log()).sum())
        if divergence < best:
            best, found = divergence, (low, high)
    return found


def _spread(seen: Tensor, bits: int) -> Tensor:
    """Each code's count, shared out evenly over those of its bins that hold anything."""
    bins = seen.view(-1, max(1, BINS // 2**bits))
    filled = (bins > 0).float()
    shared: Tensor = filled * bins.sum(1, keepdim=True) / filled.sum(1, keepdim=True).clamp(min=1)
    return shared.flatten()


def fake(value: Tensor, codes: Quantization) -> Tensor:
    """What is left of a value after its codes; the gradient passes where it was in range."""
    if not torch.is_grad_enabled():
        return _rounded(value.float(), codes)
    return torch.fake_quantize_per_tensor_affine(
        value.float(), codes.scale, codes.offset, codes.least, codes.most
    )


def _rounded(value: Tensor, codes: Quantization) -> Tensor:
    """As PyTorch's operator, to the bit, in half its time: it keeps no mask for a gradient."""
    scale = torch.tensor(codes.scale, dtype=torch.float32)
    steps = torch.mul(value, float(1 / scale)).round_()
    return steps.clamp_(codes.least - codes.offset, codes.most - codes.offset).mul_(float(scale))


RANGES: dict[str, Callable[[Observed, Recipe, int], tuple[float, float]]] = {
    "min_max": _min_max,
    "percentile": _percentile,
    "mse": _mse,
    "entropy": _entropy,
}
