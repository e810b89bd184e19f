"""Kernels and biases by layer, rounded to their codes whenever they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.recipe import Recipe

SMALLEST = 1e-9  # scale of a kernel that is all zero
SHRINKS = 40  # of the range of a kernel of few bits, down to two fifths


class Kernels(nn.Module):
    """Parameters of all layers of a network.

    Args:
        weights: (out, in / groups, kh, kw) float by layer.
        biases: (out,) float by layer; absent where there is none.
    """

    def __init__(self, weights: Mapping[str, Tensor], biases: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.layers = tuple(weights)
        self.weights = nn.ParameterDict({_field(k): v.clone() for k, v in weights.items()})
        self.biases = nn.ParameterDict({_field(k): v.clone() for k, v in biases.items()})

    @classmethod
    def of(cls, graphs: Sequence[Graph]) -> Kernels:
        """Those of lowered graphs, float."""
        weights = {name: w for graph in graphs for name, w in graph.weights.items()}
        return cls(weights, {name: b for graph in graphs for name, b in graph.biases.items()})

    def weight(self, layer: str) -> Tensor:
        """(out, in / groups, kh, kw) in float, as it is trained."""
        parameter: Tensor = self.weights[_field(layer)]
        return parameter

    def kernel(self, layer: str) -> Tensor:
        """As it is used."""
        return self.weight(layer)

    def bias(self, layer: str) -> Tensor | None:
        """(out,) float32, or None."""
        name = _field(layer)
        bias: Tensor | None = self.biases.get(name)
        return bias


class QuantizedKernels(Kernels):
    """Kernels used as what their codes stand for: symmetric, one scale a channel or one for all.

    A scale is ``reach`` · max|w| / most, so it follows the weights while they are trained;
    ``reach`` is 1 for eight bits and the least squared error's for fewer.

    Args:
        weights, biases: as for ``Kernels``.
        recipe: bits, per channel or not, and the layers that stay float.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], biases: Mapping[str, Tensor], recipe: Recipe
    ) -> None:
        super().__init__(weights, biases)
        self.recipe = recipe
        self.most = 2 ** (recipe.weights - 1) - 1
        for layer in self.layers:
            self.register_buffer(f"reach_{_field(layer)}", self._reach(weights[layer]))

    @classmethod
    def from_graphs(cls, graphs: Sequence[Graph], recipe: Recipe) -> QuantizedKernels:
        """Those of lowered graphs."""
        weights = {name: w for graph in graphs for name, w in graph.weights.items()}
        biases = {name: b for graph in graphs for name, b in graph.biases.items()}
        return cls(weights, biases, recipe)

    def kernel(self, layer: str) -> Tensor:
        """The weight rounded to its codes; the gradient passes straight through."""
        if layer in self.recipe.float_layers:
            return self.weight(layer)
        weight = self.weight(layer)
        scale = self.scale(layer)
        zero = torch.zeros(len(scale), dtype=torch.int32, device=scale.device)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -self.most, self.most)

    def scale(self, layer: str) -> Tensor:
        """(out,) of a layer's channels; all equal where there is one for all."""
        largest = self._largest(self.weight(layer).detach())
        reach: Tensor = getattr(self, f"reach_{_field(layer)}")
        scale: Tensor = (reach * largest / self.most).clamp(min=SMALLEST)
        return scale

    def codes(self, layer: str) -> Tensor:
        """int8 (out, in / groups, kh, kw)."""
        scale = self.scale(layer).view(-1, 1, 1, 1)
        codes = (self.weight(layer).detach() / scale).round()
        within: Tensor = codes.clamp(-self.most, self.most).to(torch.int8)
        return within

    def _largest(self, weight: Tensor) -> Tensor:
        largest = weight.abs().flatten(1).amax(dim=1)
        return largest if self.recipe.per_channel else largest.max().expand_as(largest)

    def _reach(self, weight: Tensor) -> Tensor:
        """By channel, the share of max|w| whose codes have the least squared error."""
        largest = self._largest(weight)
        if self.recipe.weights == 8:
            return torch.ones_like(largest)
        best = torch.full_like(largest, torch.inf)
        found = torch.ones_like(largest)
        for index in range(SHRINKS):
            reach = 1 - 0.6 * index / SHRINKS
            scale = (reach * largest / self.most).clamp(min=SMALLEST).view(-1, 1, 1, 1)
            coded = (weight / scale).round().clamp(-self.most, self.most) * scale
            error = (coded - weight).square().flatten(1).sum(dim=1)
            if not self.recipe.per_channel:
                error = error.sum().expand_as(error)
            better = error < best
            best, found = torch.where(better, error, best), torch.where(better, reach, found)
        return found


def _field(layer: str) -> str:
    """As PyTorch may call a parameter: without dots."""
    return layer.replace(".", "/")
