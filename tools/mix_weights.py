"""Weights to begin a run with: the mean of models of one network; its template made softer.

    python tools/mix_weights.py --model A [--model B …] [--soften 0.35] --out start.safetensors

``--soften`` multiplies the kernels of the template's f and g, two convolutions each, so that f gᵀ
shrinks by the fourth power: rows of its softmax that are one-hot have no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from edge_ttvos.cli.guard import guarded
from edge_ttvos.errors import ModelError
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from edge_ttvos.network.template import TemplateEmbedding
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.weights import find_checkpoint


def mix_weights(
    model: Annotated[list[str], typer.Option("--model", help="As for train; several: their mean.")],
    out: Annotated[Path, typer.Option("--out", help="The file; the size is the first model's.")],
    soften: Annotated[float, typer.Option("--soften", min=0.01, max=1.0)] = 1.0,
) -> None:
    """Write the mean of the weights."""
    checkpoints = [load_checkpoint(find_checkpoint(name)) for name in model]
    network = mean(checkpoints)
    soften_template(network, soften)
    origin = {"mean_of": [c.sha256 for c in checkpoints], "soften": soften}
    save_checkpoint(out, network, checkpoints[0].size, origin)


def mean(checkpoints: Sequence[Checkpoint]) -> TTVOS:
    """One network with the mean of their weights and statistics.

    Raises:
        ModelError: they are of several networks.
    """
    first = checkpoints[0].network
    for checkpoint in checkpoints[1:]:
        if checkpoint.network.config != first.config:
            raise ModelError(
                f"the mean is of models of one network; got {first.config.name!r} and "
                f"{checkpoint.network.config.name!r}"
            )
    states = [checkpoint.network.state_dict() for checkpoint in checkpoints]
    mixed = TTVOS(first.config).eval()
    mixed.load_state_dict(
        {
            name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value)
            for name, value in states[0].items()
        }
    )
    return mixed


def soften_template(network: TTVOS, factor: float) -> None:
    """Multiply f and g by the square of the factor: LeakyReLU lets it through."""
    if not isinstance(network.embedding, TemplateEmbedding):
        return
    with torch.no_grad():
        for branch in (network.embedding.f, network.embedding.g):
            point, group = branch[0], branch[1]
            for parameter in (point.weight, point.bias, group.weight):
                parameter *= factor
            group.bias *= factor**2


if __name__ == "__main__":
    typer.run(guarded(mix_weights))
