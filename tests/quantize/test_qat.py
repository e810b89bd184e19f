from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edge_ttvos.data.pool import Pool
from edge_ttvos.errors import QuantizationError, TrainingError
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.observers import Observed
from edge_ttvos.quantize.qat import QatTrainer, clip_recipe
from edge_ttvos.quantize.recipe import Recipe, Training, parse_bits
from edge_ttvos.quantize.scheme import build_scheme
from edge_ttvos.training.batches import Batch, Batches, Span

PLAN = Training(steps=3, size=(48, 80), frames=3, batch=2, learning_rate=1e-3, bfloat16=False)
RECIPE = replace(parse_bits("w4a8s8"), training=PLAN)
MakeTrainer = Callable[..., QatTrainer]


@pytest.fixture
def make_trainer(
    checkpoint: Checkpoint, graphs: tuple[Graph, ...], seen: dict[str, Observed], tmp_path: Path
) -> MakeTrainer:
    """``make_trainer(recipe)`` in the test's folder."""

    def make(recipe: Recipe = RECIPE) -> QatTrainer:
        return QatTrainer(checkpoint, build_scheme(graphs, recipe, seen), recipe, tmp_path)

    return make


def batches(pool: Pool, steps: int) -> list[Batch]:
    clips = Batches(pool, clip_recipe(RECIPE), Span(0, steps))
    return [clips[index][0] for index in range(steps)]


def test_a_gradient_reaches_every_kernel(make_trainer: MakeTrainer, pool: Pool) -> None:
    trainer = make_trainer()
    trainer.advance(batches(pool, 1)[0])

    parameters = {
        name: p
        for name, p in trainer.kernels.named_parameters()
        if "update_weight" not in name  # w is cut off at its range's end in this random network
    }
    assert [name for name, p in parameters.items() if p.grad is None] == []
    assert [name for name, p in parameters.items() if not p.grad.abs().any()] == []


def test_training_brings_the_student_nearer(make_trainer: MakeTrainer, pool: Pool) -> None:
    plan = replace(PLAN, learning_rate=3e-4)
    trainer = make_trainer(replace(RECIPE, training=plan))
    batch = batches(pool, 1)[0]
    losses = []
    for _ in range(8):
        losses.append(trainer.advance(batch))
        trainer.step += 1

    assert losses[-1] < losses[0]


def test_it_goes_on_where_it_stopped(make_trainer: MakeTrainer, pool: Pool, tmp_path: Path) -> None:
    first, second, third = batches(pool, 3)
    whole = make_trainer()
    for batch in (first, second):
        whole.advance(batch)
        whole.step += 1
    whole.save()
    whole.advance(third)
    resumed = make_trainer()
    resumed.resume()
    assert resumed.step == 2
    resumed.advance(third)
    for (name, a), (_, b) in zip(
        whole.kernels.named_parameters(), resumed.kernels.named_parameters(), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=0, msg=name)


def test_another_recipe_does_not_go_on(make_trainer: MakeTrainer) -> None:
    make_trainer().save()
    other = make_trainer(replace(RECIPE, weights=8))
    with pytest.raises(QuantizationError, match="belongs to another recipe or model"):
        other.resume()


def test_nothing_to_go_on_from(make_trainer: MakeTrainer) -> None:
    with pytest.raises(QuantizationError, match="cannot be resumed"):
        make_trainer().resume()


def test_a_loss_that_is_not_finite_stops_the_run(make_trainer: MakeTrainer, pool: Pool) -> None:
    trainer = make_trainer()
    batch = batches(pool, 1)[0]
    with torch.no_grad():
        trainer.kernels.weight("last.convolution").fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"became NaN at step 0 .*learning_rate"):
        trainer.advance(batch)
