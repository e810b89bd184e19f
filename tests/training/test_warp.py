"""What a device makes of plans is what OpenCV makes of them, but for the last digits."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from edge_ttvos.data.clips import plan_clip
from edge_ttvos.data.odds import EVEN
from edge_ttvos.data.plan import ClipPlan, ClipSpec, Target
from edge_ttvos.data.pool import Pool, Sequence, Still
from edge_ttvos.firmware_bridge.prompts import Box, parse_prompt
from edge_ttvos.training.batches import Batches, PlannedBatches, Span, on_device, painted
from edge_ttvos.training.plans import gather
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.warp import given

CPU = torch.device("cpu")
SPEC = ClipSpec(4, (48, 64), 3, 0.5, 0.5, films=0.5, occlusions=0.3, departures=0.3, objects=2)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Pictures of several sizes with soft structure: sharp edges would show rounding alone."""
    rng = np.random.default_rng(0)

    def still(index: int, height: int, width: int) -> Still:
        y, x = np.mgrid[:height, :width]
        waves = [np.sin(x / (5 + index + c)) + np.cos(y / (7 + c)) for c in range(3)]
        image = (127 + 60 * np.stack(waves, axis=-1)).astype(np.uint8)
        middle, radius = rng.uniform(0.4, 0.6, 2), 0.3 * min(height, width)
        inside = np.hypot(y - middle[0] * height, x - middle[1] * width) < radius
        return Still(f"still{index}", image, np.where(inside, 255, 0).astype(np.uint8))

    stills = tuple(still(i, 60 + 8 * i, 90 - 6 * i) for i in range(4))
    film = [still(10 + i, 70, 100) for i in range(12)]
    frames, masks = tuple(s.image for s in film), tuple(s.mask for s in film)
    return Pool(stills, (Sequence("film", frames, masks),))


@pytest.fixture(scope="module")
def plans(pool: Pool) -> list[ClipPlan]:
    return [plan_clip(pool, SPEC, np.random.default_rng(seed), EVEN) for seed in range(40)]


def differences(plans: list[ClipPlan]) -> tuple[float, int, float]:
    """Of frames, mean and largest, in levels; of masks, the share of pixels."""
    by_cpu, by_device = painted(plans), on_device(gather(plans), CPU)
    assert by_device.names == by_cpu.names
    assert by_device.frames.dtype == by_device.masks.dtype == torch.uint8
    assert torch.equal(by_cpu.boxed, by_device.boxed)
    levels = (by_cpu.frames.int() - by_device.frames.int()).abs()
    other = (by_cpu.masks != by_device.masks).float().mean().item()
    return levels.float().mean().item(), int(levels.max()), other


def test_a_device_renders_what_the_cpu_renders(plans: list[ClipPlan]) -> None:
    """Levels differ by rounding; more, where a layer's edge falls on another side of a point."""
    mean, _, other = differences(plans)
    assert mean < 0.4
    assert other < 2e-3
    depths = {len(plan.layers) for plan in plans}
    assert {1, 2, 3} <= depths  # the plans have what there is to render
    assert any(layer.bends is not None for plan in plans for layer in plan.layers)
    assert {plan.mirrored for plan in plans} == {True, False}
    told = [target.box for plan in plans for target in plan.targets]
    assert any(box is None for box in told)
    assert any(box is not None and any(box) for box in told)


def test_a_lone_backdrop_differs_by_rounding_alone(plans: list[ClipPlan]) -> None:
    lone = [replace(plan, layers=plan.layers[:1], targets=(Target(0),)) for plan in plans]
    _, largest, _ = differences(lone)
    assert largest <= 4


@pytest.mark.parametrize("change", [{"sigma": 1.3}, {"sigma": 0.4}, {"grey": True}])
def test_blur_and_grey(plans: list[ClipPlan], change: dict[str, object]) -> None:
    plain = [replace(plan.grade, sigma=None, grey=False) for plan in plans[:6]]
    graded = [
        replace(plan, layers=plan.layers[:1], targets=(Target(0),), grade=replace(grade, **change))  # type: ignore[arg-type]
        for plan, grade in zip(plans, plain, strict=False)
    ]
    mean, largest, _ = differences(graded)
    assert mean < 0.4
    assert largest <= 4


NAN = float("nan")


def test_masks_are_told_as_they_are_and_boxes_by_their_prior() -> None:
    first = torch.zeros(2, 2, 5, 6, dtype=torch.uint8)
    first[0, :, 1, 2] = first[0, :, 3, 4] = 1
    slack = torch.tensor([[[0.0] * 4, [NAN] * 4], [[0.0] * 4, [NAN] * 4]])
    told = given(first, slack)
    line = np.exp(
        -((np.array([-2, 0, 2]) / 3) ** 2)
    )  # pixels' centres, in half sides of 1.5 pixels
    prior = np.zeros((5, 6))
    prior[1:4, 2:5] = np.outer(line, line)
    np.testing.assert_allclose(told[0, 0].numpy(), prior, rtol=1e-6)
    assert torch.equal(told[0, 1], first[0, 1].float())
    assert not told[1].any(), "of what is not shown nothing is told"


def test_a_box_moves_out_by_its_slack_and_past_the_frame() -> None:
    first = torch.zeros(1, 2, 20, 30, dtype=torch.uint8)
    first[..., 5:15, 10:20] = 1
    slack = torch.tensor([[[0.1, -0.1, 0.2, 0.0], [2.0, 0.0, 0.0, 1.0]]])
    told = given(first, slack)[0] > 0
    for plane, rows, columns in zip(told, ((6, 15), (5, 20)), ((9, 22), (0, 20)), strict=True):
        wanted = torch.zeros(20, 30, dtype=torch.bool)
        wanted[slice(*rows), slice(*columns)] = True
        assert torch.equal(plane, wanted)


def test_the_tracker_is_told_the_same_of_a_box(plans: list[ClipPlan]) -> None:
    """Training and the board have a function each; of the same box both make the same plane."""
    compared = 0
    for plan in plans:
        batch = painted([plan])
        for number, target in enumerate(plan.targets):
            mask = batch.masks[0, number, 0].numpy()
            if target.box is None or not mask.any():
                continue
            left, top, width, height = cv2.boundingRect(mask)
            outer = np.array(target.box) * [width, height, width, height]
            start = np.rint([left - outer[0], top - outer[1]])
            end = np.rint([left + width + outer[2], top + height + outer[3]])
            box = Box(*start.tolist(), *(end - start).tolist())
            told = parse_prompt(box, *plan.size)
            assert told.boxed
            np.testing.assert_allclose(told.plane, batch.given[0, number].numpy(), atol=1e-6)
            compared += 1
    assert compared > 20


def test_sources_travel_once(plans: list[ClipPlan]) -> None:
    packed = gather(plans)
    shown = {
        (id(image), id(mask))
        for plan in plans
        for layer in plan.layers
        for image, mask in zip(layer.images, layer.masks, strict=True)
    }
    rows = sum(len(plan.layers) for plan in plans) * SPEC.frames
    assert packed.sources.shape[0] == len(shown)
    assert packed.source.shape == packed.cut.shape == (rows,)
    assert int(packed.rows.max()) == rows - 1


def test_a_gpu_gets_plans_of_the_clips_that_a_cpu_gets(pool: Pool, recipe: Recipe) -> None:
    span = Span(0, 1)
    (by_cpu,) = Batches(pool, recipe, span)[0]
    (for_gpu,) = PlannedBatches(pool, recipe, span)[0]
    rendered = on_device(for_gpu, CPU)
    assert rendered.names == by_cpu.names
    assert (rendered.masks != by_cpu.masks).float().mean() < 5e-3
