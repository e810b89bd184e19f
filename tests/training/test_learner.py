"""One optimizer step: what changes how it is computed must not change what is learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from edge_ttvos.data.pool import Pool
from edge_ttvos.errors import TrainingError
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.training.batches import Batches, Span
from edge_ttvos.training.learner import Learner
from edge_ttvos.training.objective import batch_loss, held, started
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.stage import Stage
from edge_ttvos.training.world import ALONE

FROZEN = Stage("only", 1, (32, 48), frames=4, batch=4, freeze_batchnorm=True)


def learnt(pool: Pool, stage: Stage, **changes: object) -> tuple[Learner, dict[str, float]]:
    """One step of a stage: the learner after it, and what it said."""
    recipe = replace(Recipe("tiny", "release", (stage,), bfloat16=False), **changes)  # type: ignore[arg-type]
    learner = Learner(recipe, None, ALONE)
    (batches,) = Batches(pool, recipe, Span(0, 1))
    return learner, learner.step(batches, stage, 0)


def gradients(learner: Learner) -> dict[str, Tensor]:
    return {
        name: parameter.grad
        for name, parameter in learner.network.named_parameters()
        if parameter.grad is not None
    }


def assert_close(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    assert len(first) > 100
    for name, gradient in first.items():
        scale = float(gradient.abs().max())
        torch.testing.assert_close(second[name], gradient, rtol=1e-3, atol=1e-3 * scale + 1e-9)


@pytest.mark.parametrize(
    "changes", [{"batch": 2, "accumulate": 2}, {"batch": 1, "accumulate": 4}, {"recompute": True}]
)
def test_the_gradient_does_not_depend_on_how_memory_is_saved(
    pool: Pool, changes: dict[str, object]
) -> None:
    whole_stage = replace(FROZEN, hard_pixels=0.5, boxes=0.5, objects=2)
    stage = replace(whole_stage, **changes)  # type: ignore[arg-type]
    whole, values = learnt(pool, whole_stage, auxiliary_weight=0.5)
    saving, others = learnt(pool, stage, auxiliary_weight=0.5)
    assert others == pytest.approx(values, rel=1e-4)
    assert_close(gradients(whole), gradients(saving))


def test_recomputing_keeps_fewer_activations(pool: Pool) -> None:
    """Bytes that the graph holds on to when the forward pass is done."""
    kept = {}
    for recompute in (False, True):
        stage = replace(FROZEN, recompute=recompute)
        recipe = Recipe("tiny", "release", (stage,), bfloat16=False)
        learner = Learner(recipe, None, ALONE)
        ((batch,),) = Batches(pool, recipe, Span(0, 1))
        held: dict[int, int] = {}

        def note(tensor: Tensor, held: dict[int, int] = held) -> Tensor:
            held[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            batch_loss(learner.network, learner.heads, batch, recipe, stage)
        kept[recompute] = sum(held.values())
    assert kept[True] < 0.3 * kept[False]


def test_what_is_found_in_a_box_is_learnt_too(pool: Pool) -> None:
    """The gradient of what the first frame shows alone reaches the network."""
    stage = replace(FROZEN, boxes=1.0)
    recipe = Recipe("tiny", "release", (stage,), bfloat16=False, temporal_weight=0.0)
    learner = Learner(recipe, None, ALONE)
    ((batch,),) = Batches(pool, recipe, Span(0, 1))
    assert batch.boxed.all()
    features = learner.network.encode(batch.frames[:, 0].permute(0, 3, 1, 2).float())
    state, found = started(learner.network, features, batch)
    assert found is not None
    found.softmax(dim=1)[:, 1].mean().backward()
    assert learner.network.short_term.template[0].weight.grad.abs().max() > 0
    outside = F.avg_pool2d((batch.given > 0).float(), 8) == 0
    assert outside.any()
    assert not state.masks[:, 1::2][outside.expand(-1, 3, -1, -1)].any()
    whole = batch_loss(learner.network, learner.heads, batch, recipe, stage).total
    masked = replace(batch, boxed=torch.zeros_like(batch.boxed))
    assert batch_loss(learner.network, learner.heads, masked, recipe, stage).total != whole


def test_targets_of_a_clip_are_followed_each_by_itself(pool: Pool) -> None:
    """Two targets of a clip cost what both cost alone, and have the J that they have alone."""
    stage = replace(FROZEN, objects=2, boxes=0.5)
    recipe = Recipe("tiny", "release", (stage,), bfloat16=False)
    learner = Learner(recipe, None, ALONE)
    ((batch,),) = Batches(pool, recipe, Span(0, 1))
    learner.network.eval()
    with torch.no_grad():
        both = batch_loss(learner.network, learner.heads, batch, recipe, stage)
        alone = [
            batch_loss(
                learner.network,
                learner.heads,
                replace(
                    batch,
                    masks=batch.masks[:, [k]],
                    given=batch.given[:, [k]],
                    boxed=batch.boxed[:, [k]],
                    own=batch.own[:, [k]],
                ),
                recipe,
                stage,
            )
            for k in (0, 1)
        ]
    torch.testing.assert_close(both.total, (alone[0].total + alone[1].total) / 2)
    assert both.accuracies.shape == (4, 2)
    torch.testing.assert_close(both.accuracies, torch.cat([a.accuracies for a in alone], dim=1))


def test_a_pasted_target_says_nothing_of_what_it_was_pasted_on(pool: Pool) -> None:
    stage = replace(FROZEN, batch=12, hard_sources=1.0)
    learner, _ = learnt(pool, stage)
    ((batch,),) = Batches(pool, learner.recipe, Span(0, 1))
    own = {name for name, row in zip(batch.names, batch.own.tolist(), strict=True) if any(row)}
    assert 0 < batch.own.float().mean() < 1
    assert set(learner.difficulty.state_dict()["running"]) == own


def test_of_a_target_that_is_not_seen_the_last_state_stays(pool: Pool) -> None:
    """As the tracker holds it: masks and features of the last frame that showed it."""
    recipe = Recipe("tiny", "release", (FROZEN,), bfloat16=False)
    network = Learner(recipe, None, ALONE).network.eval()
    ((batch,),) = Batches(pool, recipe, Span(0, 1))
    with torch.no_grad():
        first, second = (
            network.encode(batch.frames[:, t].permute(0, 3, 1, 2).float()) for t in (0, 1)
        )
        before = network.start(first, batch.given[:, 0])
        output, after = network.step(second, before)
        logits = torch.zeros_like(output.logits)
        logits[1:, 0] = 1.0  # all background
        logits[1, 1, 3, 4] = 2.0  # but for one pixel
        logits[0, 1] = 2.0
        kept = held(before, after, replace(output, logits=logits))
    for row, chosen in enumerate((after, after, before, before)):
        assert torch.equal(kept.masks[row], chosen.masks[row])
        for mine, theirs in zip(kept.features, chosen.features, strict=True):
            assert torch.equal(mine[row], theirs[row])


def test_bfloat16_changes_the_loss_a_little_and_keeps_float32_weights(pool: Pool) -> None:
    _, exact = learnt(pool, FROZEN)
    learner, rough = learnt(pool, FROZEN, bfloat16=True)
    assert rough["total"] != exact["total"]
    assert rough["total"] == pytest.approx(exact["total"], rel=0.05)
    assert {p.dtype for p in learner.network.parameters()} == {torch.float32}


def test_images_teach_the_backbone_alone(pool: Pool) -> None:
    stage = Stage("images", 1, (32, 48), frames=1, batch=4, kind="images")
    learner, values = learnt(pool, stage)
    assert values["temporal"] == values["auxiliary"] == 0
    assert values["cross_entropy"] > 0
    names = set(gradients(learner))
    backbone = {name for name, _ in learner.network.named_parameters() if "backbone" in name}
    assert names == backbone
    assert learner.heads.saliency.project[0].weight.grad is not None
    assert learner.heads.transition.convolve.weight.grad is None


def test_images_are_learnt(pool: Pool) -> None:
    """The loss falls, and J rises, on images that were not seen."""
    stage = Stage("images", 25, (32, 48), frames=1, batch=6, kind="images", learning_rate=0.2)
    recipe = Recipe("tiny", "release", (stage,), bfloat16=False)
    learner = Learner(recipe, None, ALONE)
    heard = [
        learner.step(batches, stage, within)
        for within, batches in enumerate(Batches(pool, recipe, Span(0, stage.steps)))
    ]
    assert sum(v["total"] for v in heard[-5:]) < 0.7 * sum(v["total"] for v in heard[:5])
    assert sum(v["accuracy"] for v in heard[-5:]) > sum(v["accuracy"] for v in heard[:5])


def test_auxiliary_weight_weighs_the_coarse_mask(pool: Pool) -> None:
    learner, without = learnt(pool, FROZEN)
    assert learner.heads.coarse.weight.grad is not None
    assert not learner.heads.coarse.weight.grad.any()
    learner, with_it = learnt(pool, FROZEN, auxiliary_weight=0.5)
    assert with_it["total"] == pytest.approx(without["total"] + 0.5 * without["auxiliary"])
    assert learner.heads.coarse.weight.grad is not None
    assert learner.heads.coarse.weight.grad.any()


@pytest.mark.parametrize("without", [("short_term",), ("long_term",), ("update",)])
def test_the_networks_of_table_3_learn(pool: Pool, without: tuple[str, ...]) -> None:
    learner, values = learnt(pool, FROZEN, without=without, temporal_weight=0.0)
    config = learner.network.config
    assert config.short_term is ("short_term" not in without)
    assert config.long_term is ("long_term" not in without)
    assert (config.update == "frozen") is ("update" in without)
    assert values["total"] == pytest.approx(values["cross_entropy"] + values["jaccard"])


def checkpoint(recipe: Recipe, folder: Path) -> Checkpoint:
    torch.manual_seed(1)
    save_checkpoint(folder / "given.safetensors", TTVOS(recipe.config), (32, 48), {})
    return load_checkpoint(folder / "given.safetensors")


def test_the_backbone_alone_may_be_taken_from_another_network(tmp_path: Path) -> None:
    given = checkpoint(Recipe("paper", "paper", (FROZEN,)), tmp_path)
    recipe = Recipe("tiny", "release", (FROZEN,), without=("long_term",), take="backbone")
    taken, fresh = (Learner(recipe, start, ALONE).network.state_dict() for start in (given, None))
    for name, value in given.network.backbone.state_dict().items():
        assert torch.equal(taken[f"backbone.{name}"], value), name
    head = "decoder.up4.weight"
    assert torch.equal(taken[head], fresh[head])
    with pytest.raises(TrainingError, match='take = "backbone"'):
        Learner(replace(recipe, take="network"), given, ALONE)


def test_the_box_head_learns_alone(pool: Pool, tmp_path: Path) -> None:
    """All other weights, trained and averaged, stay bit by bit; they may come without a head."""
    torch.manual_seed(5)
    save_checkpoint(tmp_path / "start", TTVOS(PRESETS["release"]), (32, 48), {})
    start = load_checkpoint(tmp_path / "start")
    stage = Stage("boxes", 3, (32, 48), frames=1, batch=2, boxes=1.0, objects=2, kind="boxes")
    recipe = Recipe("tiny", "release", (stage,), bfloat16=False, box_head=True)
    learner = Learner(recipe, start, ALONE)
    assert learner.network.box_head is not None
    first = learner.network.box_head.enter8.weight.clone()
    for step, batches in enumerate(Batches(pool, recipe, Span(0, 3))):
        values = learner.step(batches, stage, step)
        assert 0 < values["cross_entropy"] < values["total"]
    assert not torch.equal(first, learner.network.box_head.enter8.weight)
    for network in (learner.network, learner.average.module):
        for name, value in start.network.state_dict().items():
            assert torch.equal(value, network.state_dict()[name]), name


def test_a_box_head_stays_though_the_recipe_does_not_ask_for_one(pool: Pool) -> None:
    stage = replace(FROZEN, boxes=1.0)
    recipe = Recipe("tiny", "release", (stage,), bfloat16=False)
    with_head = Learner(replace(recipe, box_head=True), None, ALONE)
    start = Checkpoint(with_head.network, (32, 48), {}, "")
    learner = Learner(recipe, start, ALONE)
    torch.testing.assert_close(
        learner.network.state_dict(), with_head.network.state_dict(), rtol=0, atol=0
    )
    ((batch,),) = Batches(pool, recipe, Span(0, 1))
    learner.step([batch], stage, 0)
    assert learner.network.box_head is not None
    assert learner.network.box_head.fine.weight.grad.abs().max() > 0  # boxes of clips teach it
    learner.step([replace(batch, boxed=torch.zeros_like(batch.boxed))], stage, 0)
    assert not learner.network.box_head.fine.weight.grad.any()  # none here, perhaps elsewhere
    assert Learner(replace(recipe, take="backbone"), start, ALONE).network.box_head is None
