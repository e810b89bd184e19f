from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_ttvos.data.clips import plan_clip
from edge_ttvos.data.pool import Pool
from edge_ttvos.data.render import render
from edge_ttvos.errors import OutputError, TrainingError
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.training.batches import Batches, Span, clip_spec
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.run import FILES, Progress, Trainer
from edge_ttvos.training.schedule import learning_rate
from edge_ttvos.training.stage import Stage

# clips are made by a forked process, which newer Pythons warn of where torch runs threads
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

Start = Callable[..., Trainer]


@pytest.fixture
def start(tmp_path: Path, recipe: Recipe) -> Start:
    """A trainer of the tiny recipe in a folder of its own, by name."""

    def make(name: str = "run", of: Recipe = recipe) -> Trainer:
        (tmp_path / name).mkdir(exist_ok=True)
        return Trainer(of, tmp_path / name)

    return make


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe, pool: Pool) -> Trainer:
    """The tiny recipe from its first step to its last; look, don't touch."""
    trainer = Trainer(recipe, tmp_path_factory.mktemp("whole"))
    trainer.fit(pool)
    return trainer


def press_ctrl_c_after(step: int) -> Callable[[Progress], None]:
    def listen(progress: Progress) -> None:
        if progress.step == step:
            signal.raise_signal(signal.SIGINT)

    return listen


def everything(trainer: Trainer) -> dict[str, Tensor]:
    """All tensors that the run depends on, by name."""
    optimizer = {
        f"optimizer.{index}.{key}": value
        for index, slots in trainer.learner.optimizer.state_dict()["state"].items()
        for key, value in slots.items()
    }
    modules = {
        f"{part}.{key}": value
        for part in ("network", "heads", "average")
        for key, value in getattr(trainer.learner, part).state_dict().items()
    }
    return {key: value.clone() for key, value in {**modules, **optimizer}.items()}


def assert_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    unequal = [key for key, value in first.items() if not torch.equal(value, second[key])]
    assert unequal == []


def files(trainer: Trainer) -> dict[str, bytes]:
    found = [path for path in trainer.folder.rglob("*") if path.is_file()]
    return {path.relative_to(trainer.folder).as_posix(): path.read_bytes() for path in found}


def test_training_lowers_the_loss(start: Start, pool: Pool) -> None:
    """The mean of the last steps against that of the first."""
    stage = Stage("only", 15, (32, 48), frames=2, batch=3, stills=1.0, learning_rate=3e-2)
    recipe = Recipe("short", "release", (stage,), bfloat16=False, ema=0.5)
    trainer = start(of=recipe)
    heard: list[float] = []
    trainer.fit(pool, lambda now: heard.append(now.values["total"]))
    assert len(heard) == 15
    assert np.mean(heard[-5:]) < 0.85 * np.mean(heard[:5])


def test_a_finished_run_leaves_a_model_its_state_and_nothing_else(
    whole: Trainer, recipe: Recipe
) -> None:
    stages = {"stages/1.safetensors", "stages/2.safetensors"}
    assert set(files(whole)) == {"model.safetensors", "state.pt", *stages}  # too short for a line
    assert {Path(name).parts[0] for name in files(whole)} < set(FILES)
    for number, stage in enumerate(recipe.stages, start=1):
        left = load_checkpoint(whole.folder / f"stages/{number}.safetensors")
        assert (left.size, left.origin["step"]) == (stage.size, 2 * number)
    assert_equal(left.network.state_dict(), whole.learner.average.module.state_dict())
    model = load_checkpoint(whole.model_path)
    assert model.size == recipe.stages[-1].size
    assert model.network.config.name == recipe.network
    assert model.origin["step"] == recipe.steps
    assert model.origin["recipe"] == json.loads(json.dumps(recipe.as_dict()))
    assert_equal(model.network.state_dict(), whole.learner.average.module.state_dict())
    assert whole.step == recipe.steps


def test_the_shipped_weights_are_the_moving_average(
    start: Start, pool: Pool, recipe: Recipe
) -> None:
    """The first step's weights, then a tenth of the way to each step's."""
    trainer = start(of=replace(recipe, ema=0.9))
    key, want = "decoder.up4.weight", None
    heard: list[tuple[int, int, str]] = []

    def listen(progress: Progress) -> None:
        nonlocal want
        heard.append((progress.step, progress.steps, progress.stage))
        now = trainer.learner.network.state_dict()[key].clone()
        want = now if want is None else want + (now - want) * 0.1

    trainer.fit(pool, listen)
    assert heard == [(1, 4, "first"), (2, 4, "first"), (3, 4, "second"), (4, 4, "second")]
    assert want is not None
    torch.testing.assert_close(load_checkpoint(trainer.model_path).network.state_dict()[key], want)
    assert not torch.equal(trainer.learner.network.state_dict()[key], want)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resumed_equals_uninterrupted_bit_for_bit(
    start: Start, pool: Pool, whole: Trainer, stop: int
) -> None:
    """Stopped in the first stage, at its end, and in the second."""
    first = start()
    with pytest.raises(KeyboardInterrupt):
        first.fit(pool, press_ctrl_c_after(stop))
    assert first.step == stop
    resumed = start()
    resumed.resume()
    assert resumed.step == stop
    assert_equal(everything(resumed), everything(first))
    resumed.fit(pool)
    assert_equal(everything(resumed), everything(whole))
    assert_equal(
        load_checkpoint(resumed.model_path).network.state_dict(),
        load_checkpoint(whole.model_path).network.state_dict(),
    )


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    start: Start, pool: Pool, whole: Trainer
) -> None:
    """Killed without a word in the second stage: the state is the first stage's end."""

    class Killed(BaseException):
        pass

    def listen(progress: Progress) -> None:
        if progress.step == 3:
            raise Killed

    with pytest.raises(Killed):
        start().fit(pool, listen)
    resumed = start()
    resumed.resume()
    assert resumed.step == 2
    resumed.fit(pool)
    assert_equal(everything(resumed), everything(whole))


def test_ctrl_c_waits_for_the_step_to_be_whole(start: Start, pool: Pool, whole: Trainer) -> None:
    """Pressed between the optimizer's step and the average's: both are saved, or neither."""
    torn = start()
    presses = 0

    def press(optimizer: Any, args: Any, kwargs: Any) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            signal.raise_signal(signal.SIGINT)

    torn.learner.optimizer.register_step_post_hook(press)
    with pytest.raises(KeyboardInterrupt):
        torn.fit(pool)
    resumed = start()
    resumed.resume()
    assert resumed.step == 1
    resumed.fit(pool)
    assert_equal(everything(resumed), everything(whole))


def test_ctrl_c_pressed_twice_breaks_in_and_saves_nothing_torn(start: Start, pool: Pool) -> None:
    trainer, before = start(), signal.getsignal(signal.SIGINT)

    def press_twice(progress: Progress) -> None:
        if progress.step == 1:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        trainer.fit(pool, press_twice)
    assert files(trainer) == {}
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_run_resumes_to_nothing(whole: Trainer, pool: Pool, recipe: Recipe) -> None:
    before = files(whole)
    again = Trainer(recipe, whole.folder)
    again.resume()
    again.fit(pool, lambda now: pytest.fail("there was a step left"))
    assert files(again) == before


def test_the_seed_makes_the_run(start: Start, pool: Pool, whole: Trainer, recipe: Recipe) -> None:
    same, other = start("same"), start("other", replace(recipe, seed=1))
    for trainer in (same, other):
        trainer.fit(pool)
    assert_equal(everything(same), everything(whole))
    key = "network.decoder.up4.weight"
    assert not torch.equal(everything(other)[key], everything(whole)[key])


def test_a_sample_derives_from_seed_step_and_index(pool: Pool, recipe: Recipe) -> None:
    for step in (0, 1, 3):
        stage, _ = recipe.locate(step)
        spec = clip_spec(stage)
        batch = Batches(pool, recipe, Span(0, recipe.steps))[step][0]
        for index in range(stage.batch):
            plan = plan_clip(pool, spec, np.random.default_rng((recipe.seed, step, index)))
            frames, masks = render(plan)
            assert batch.names[index] == plan.name
            np.testing.assert_array_equal(batch.frames[index].numpy(), frames)
            np.testing.assert_array_equal(batch.masks[index].numpy(), masks)
            assert batch.boxed[index].tolist() == [plan.targets[0].box is not None]
        late = Batches(pool, recipe, Span(step, recipe.steps))
        assert len(late) == recipe.steps - step
        assert torch.equal(late[0][0].frames, batch.frames)
    with pytest.raises(IndexError):
        Batches(pool, recipe, Span(3, 4))[1]


def test_frozen_batchnorm_keeps_its_statistics(start: Start, pool: Pool) -> None:
    trainer = start()
    statistics: dict[int, Tensor] = {}
    norm = next(m for m in trainer.learner.network.modules() if isinstance(m, nn.BatchNorm2d))

    def listen(progress: Progress) -> None:
        assert norm.running_mean is not None
        statistics[progress.step] = norm.running_mean.clone()

    trainer.fit(pool, listen)
    assert not torch.equal(statistics[1], statistics[2])
    assert torch.equal(statistics[2], statistics[4])


def test_a_state_of_another_recipe_is_refused(whole: Trainer, recipe: Recipe) -> None:
    before = files(whole)
    for other in (
        replace(recipe, seed=1),
        replace(recipe, network="paper"),
        replace(recipe, stages=recipe.stages[:1]),
    ):
        with pytest.raises(TrainingError, match="another recipe") as caught:
            Trainer(other, whole.folder).resume()
        assert str(whole.state_path) in str(caught.value)
    assert files(whole) == before


def test_nothing_to_resume(start: Start) -> None:
    trainer = start()
    with pytest.raises(TrainingError, match="nothing to resume") as caught:
        trainer.resume()
    assert str(trainer.state_path) in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "record", "number", "torn record"])
def test_an_unusable_state(start: Start, damage: str) -> None:
    trainer = start()
    trainer.save()
    path = trainer.state_path
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a state")
    elif damage == "record":
        torch.save({"epoch": 3}, path)
    elif damage == "number":
        torch.save(3, path)
    else:
        state = torch.load(path, weights_only=True)
        del state["network"]["decoder.up4.weight"]
        torch.save(state, path)
    with pytest.raises(TrainingError) as caught:
        start().resume()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def exploding(recipe: Recipe) -> Recipe:
    """The second stage's first step throws the weights out of float32's range."""
    first, second = recipe.stages
    return replace(recipe, stages=(first, replace(second, learning_rate=1e36)))


def test_a_loss_that_is_no_number_stops_the_run(start: Start, pool: Pool, recipe: Recipe) -> None:
    trainer = start(of=exploding(recipe))
    kept: dict[str, bytes] = {}

    def listen(progress: Progress) -> None:
        if progress.step == 3:
            kept.update(files(trainer))

    with pytest.raises(TrainingError) as caught:
        trainer.fit(pool, listen)
    step = trainer.step
    assert step >= 3
    for part in ("loss became", f"step {step} ", str(trainer.state_path), "is from before it"):
        assert part in str(caught.value)
    assert any(name in str(caught.value) for name in ("still", "walk"))
    assert files(trainer) == kept
    resumed = start(of=exploding(recipe))
    resumed.resume()
    assert resumed.step == 2
    assert all(torch.isfinite(value).all() for value in everything(resumed).values())


def test_a_gradient_that_is_no_number_never_reaches_the_weights(start: Start, pool: Pool) -> None:
    trainer = start()
    trainer.learner.network.decoder.up4.weight.register_hook(
        lambda gradient: gradient * float("nan")
    )
    before = {key: value.clone() for key, value in trainer.learner.network.named_parameters()}
    with pytest.raises(TrainingError, match="gradient became nan at step 0") as caught:
        trainer.fit(pool)
    assert "was not written yet" in str(caught.value)
    assert_equal(dict(trainer.learner.network.named_parameters()), before)
    assert files(trainer) == {}


def test_a_full_disk_leaves_the_last_checkpoint(
    start: Start, pool: Pool, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    trainer = start()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(pool, press_ctrl_c_after(1))
    before = files(trainer)
    trainer.step += 1
    with full_disk(), pytest.raises(OutputError, match=str(trainer.state_path)):
        trainer.save()
    assert files(trainer) == before
    resumed = start()
    resumed.resume()
    assert resumed.step == 1


def test_a_process_that_makes_clips_is_killed(start: Start, pool: Pool) -> None:
    def kill(progress: Progress) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    trainer = start()
    with pytest.raises(TrainingError, match=r"killed from outside.*--resume"):
        trainer.fit(pool, kill)
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL  # no handler of PyTorch's is left
    start().fit(pool)


def test_training_in_a_thread(start: Start, pool: Pool) -> None:
    trainer = start()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(trainer.fit, pool).result()
    assert trainer.step == trainer.recipe.steps


def test_a_run_from_weights_with_a_box_head_goes_on(
    tmp_path: Path, pool: Pool, recipe: Recipe
) -> None:
    """Though neither recipe nor ``resume`` speak of it."""
    network = TTVOS(replace(recipe.config, box_head=True))
    begun = Trainer(recipe, tmp_path, Checkpoint(network, (32, 48), {}, "0" * 64))
    with pytest.raises(KeyboardInterrupt):
        begun.fit(pool, press_ctrl_c_after(1))
    resumed = Trainer(recipe, tmp_path)
    resumed.resume()
    resumed.fit(pool)
    assert load_checkpoint(resumed.model_path).network.config.box_head


def test_a_box_head_is_not_trained_on_random_weights(tmp_path: Path, pool: Pool) -> None:
    stage = Stage("boxes", 1, (32, 48), frames=1, batch=1, boxes=1.0, kind="boxes")
    recipe = Recipe("tiny", "release", (stage,), bfloat16=False, box_head=True)
    with pytest.raises(TrainingError, match="stage boxes trains the box head alone"):
        Trainer(recipe, tmp_path).fit(pool)


def test_a_folder_that_vanished(tmp_path: Path, pool: Pool, recipe: Recipe) -> None:
    trainer = Trainer(recipe, tmp_path / "none")
    with pytest.raises(OutputError, match=str(trainer.state_path)):
        trainer.fit(pool)


@pytest.fixture
def near_a_line(start: Start) -> Trainer:
    """At step 19 of 21."""
    stage = Stage("only", 21, (16, 16), frames=2, batch=2, stills=1.0)
    trainer = start(of=Recipe("long", "paper", (stage,), bfloat16=False))
    trainer.step = 19
    return trainer


def test_the_log_has_a_line_every_twenty_steps(near_a_line: Trainer, pool: Pool) -> None:
    heard: dict[int, float] = {}
    near_a_line.fit(pool, lambda now: heard.update({now.step: now.values["total"]}))
    (line,) = map(json.loads, (near_a_line.folder / "log.jsonl").read_text().splitlines())
    assert (line["step"], line["stage"]) == (20, "only")
    assert line["total"] == round(heard[20], 5) != round(heard[21], 5)


def test_a_log_that_cannot_be_written(near_a_line: Trainer, pool: Pool) -> None:
    (near_a_line.folder / "log.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl"):
        near_a_line.fit(pool)


def test_the_learning_rate_warms_up_then_falls_to_its_floor() -> None:
    stage = Stage("only", 1100, (16, 16), 2, 1, learning_rate=1e-2, floor=0.1)
    rates = [learning_rate(stage, within) for within in range(stage.steps)]
    assert rates[0] == pytest.approx(1e-4)
    assert rates[99] == rates[100] == pytest.approx(1e-2) == max(rates)
    assert rates[600] == pytest.approx(1e-2 * 0.55)  # half way down the cosine
    assert rates[-1] == pytest.approx(1e-3, rel=1e-4)
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_weight_decay_spares_biases_and_normalisation(start: Start) -> None:
    decayed, spared = start().learner.optimizer.param_groups
    assert decayed["weight_decay"] == 1e-2
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert spared["weight_decay"] == 0
    assert all(parameter.ndim <= 1 for parameter in spared["params"])


def test_sigterm_waits_likewise_where_it_is_handled(start: Start, pool: Pool) -> None:
    """As under the command line, which turns SIGTERM into an interrupt."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt("SIGTERM")

    trainer = start()
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            trainer.fit(pool, lambda progress: signal.raise_signal(signal.SIGTERM))
        assert signal.getsignal(signal.SIGTERM) is interrupt
    finally:
        signal.signal(signal.SIGTERM, before)
    resumed = start()
    resumed.resume()
    assert resumed.step == 1


def test_starts_from_given_weights(
    start: Start, whole: Trainer, tmp_path: Path, recipe: Recipe, pool: Pool
) -> None:
    given = load_checkpoint(whole.model_path)
    (tmp_path / "refined").mkdir()
    trainer = Trainer(recipe, tmp_path / "refined", given)
    for name, value in given.network.state_dict().items():
        assert torch.equal(trainer.learner.network.state_dict()[name], value), name
    trainer.save()
    assert load_checkpoint(trainer.model_path).origin["start"] == given.sha256
    resumed = Trainer(recipe, tmp_path / "refined")
    resumed.resume()
    assert resumed.start == given.sha256


def test_weights_of_another_network_are_refused(
    whole: Trainer, tmp_path: Path, recipe: Recipe
) -> None:
    given = load_checkpoint(whole.model_path)
    other = "paper" if recipe.network == "release" else "release"
    with pytest.raises(TrainingError, match="the model to start from is"):
        Trainer(replace(recipe, network=other), tmp_path, given)


@pytest.fixture(scope="module")
def everything_on() -> Recipe:
    """All that a recipe can switch on; the odds change after step 2."""
    images = Stage("images", 1, (32, 48), frames=1, batch=2, kind="images", accumulate=2)
    hard = Stage(
        "hard", 3, (32, 48), frames=3, batch=2, objects=2, hard_sources=1.0, occlusions=0.5
    )
    saving = Stage(
        "saving",
        2,
        (32, 48),
        frames=3,
        batch=1,
        objects=2,
        accumulate=2,
        boxes=0.5,
        departures=0.5,
        hard_sources=2.0,
        freeze_batchnorm=True,
        recompute=True,
    )
    stages = (images, hard, saving)
    return Recipe("all", "release", stages, bfloat16=False, auxiliary_weight=0.5)


@pytest.fixture(scope="module")
def whole_with_everything_on(
    tmp_path_factory: pytest.TempPathFactory, everything_on: Recipe, pool: Pool
) -> Iterator[Trainer]:
    """From its first step to its last; until the module's end the odds change every two steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_ttvos.training.run.REFRESH", 2)
        trainer = Trainer(everything_on, tmp_path_factory.mktemp("everything"))
        trainer.fit(pool)
        yield trainer


@pytest.mark.slow
@pytest.mark.parametrize("stop", [2, 5])
def test_resumed_equals_uninterrupted_with_everything_on(
    start: Start, pool: Pool, everything_on: Recipe, whole_with_everything_on: Trainer, stop: int
) -> None:
    """The odds of sources are part of the state: noted, and those in use."""
    whole = whole_with_everything_on
    first, resumed = start(of=everything_on), start(of=everything_on)
    with pytest.raises(KeyboardInterrupt):
        first.fit(pool, press_ctrl_c_after(stop))
    resumed.resume()
    assert resumed.step == stop
    resumed.fit(pool)
    assert_equal(everything(resumed), everything(whole))
    noted = whole.learner.difficulty.state_dict()
    assert resumed.learner.difficulty.state_dict() == noted
    assert noted["running"]
    assert noted["settled"] != noted["running"]


def test_hard_sources_are_drawn_more_often(start: Start, pool: Pool) -> None:
    """As soon as one still is known to be harder than the others."""
    stage = Stage("only", 1, (16, 16), frames=2, batch=60, stills=1.0, hard_sources=1.0)
    recipe = Recipe("hard", "release", (stage,), bfloat16=False)
    trainer = start(of=recipe)
    trainer.learner.difficulty.note(["still0", "still1", "still2"], [0.0, 0.9, 0.9])
    span = trainer._span(pool)
    ((batch,),) = Batches(pool, recipe, span)
    assert batch.names.count("still0") > 35


def test_resuming_with_other_weights_is_refused(
    whole: Trainer, tmp_path: Path, recipe: Recipe
) -> None:
    given = load_checkpoint(whole.model_path)
    begun = Trainer(recipe, tmp_path, given)
    begun.save()
    before = files(begun)
    Trainer(recipe, tmp_path, given).resume()
    other = replace(given, sha256="0" * 64)
    with pytest.raises(TrainingError, match="leave --model out"):
        Trainer(recipe, tmp_path, other).resume()
    with pytest.raises(TrainingError, match="began with random weights"):
        Trainer(recipe, whole.folder, given).resume()
    assert files(begun) == before


@pytest.mark.parametrize(
    "stage",
    [
        Stage("photographs", 1, (16, 16), frames=1, batch=1, kind="images"),
        Stage("hidden", 1, (16, 16), frames=3, batch=1, occlusions=0.1),
        Stage("leaving", 1, (16, 16), frames=3, batch=1, departures=0.1),
    ],
)
def test_some_stages_need_still_images(start: Start, pool: Pool, stage: Stage) -> None:
    trainer = start(of=Recipe("tiny", "release", (stage,), bfloat16=False))
    with pytest.raises(TrainingError, match="has no still images"):
        trainer.fit(Pool((), pool.sequences))
    assert files(trainer) == {}


def test_a_state_of_before_a_key_existed_is_still_the_recipes(
    whole: Trainer, tmp_path: Path
) -> None:
    """A state holds its recipe; what it does not say is the default."""
    state = torch.load(whole.state_path, weights_only=True)
    table = json.loads(state["recipe"])
    del table["without"]
    for stage in table["stages"]:
        del stage["hard_sources"]
    older = Trainer(whole.recipe, tmp_path)
    torch.save({**state, "recipe": json.dumps(table)}, older.state_path)
    older.resume()
    assert older.step == whole.step
