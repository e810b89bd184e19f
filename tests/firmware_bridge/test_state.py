from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from edge_ttvos.contracts import FrameSpec, ModelSpec, UpdateRule, state_spec
from edge_ttvos.firmware_bridge.state import Memory

FRAME = FrameSpec(48, 80)


def model(mask_history: int = 3, update: UpdateRule = "weighted") -> ModelSpec:
    return ModelSpec("test", "0", "fp32", FRAME, mask_history, True, update, True)


@pytest.mark.parametrize("history", [1, 3])
def test_the_state_is_what_design_lists(history: int) -> None:
    spec = state_spec(model(history), max_objects=5)
    assert {t.name: t.shape for t in spec.shared} == {"s8": (6, 10, 32), "s16": (3, 5, 192)}
    shapes = {t.name: t.shape for t in spec.slot}
    assert shapes["template"] == (32, 32)
    assert shapes["masks"] == (6, 10, 2 * history)
    per_slot = 4 * (32 * 32 + 6 * 10 * 2 * history + 1 + 1 + 1)
    assert spec.nbytes == 4 * (6 * 10 * 32 + 3 * 5 * 192) + 5 * per_slot


def test_the_arena_holds_the_state_with_its_shapes_and_types() -> None:
    memory = Memory(model(), max_objects=3)
    for tensor in memory.spec.shared:
        assert memory.arena[f"shared.{tensor.name}"].shape == tensor.shape
    for index in range(3):
        for tensor in memory.spec.slot:
            array = memory.arena[f"{index}.{tensor.name}"]
            assert (array.shape, array.dtype) == (tensor.shape, np.dtype(tensor.dtype))


def test_an_object_more_costs_its_slot_its_probability_and_the_features_it_was_seen_in() -> None:
    sizes = [Memory(model(), n).arena.nbytes for n in (1, 2, 3)]
    slot = memory_of_one_slot()
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] == slot


def memory_of_one_slot() -> int:
    spec = state_spec(model(), 1)
    sizes = [t.nbytes for t in (*spec.slot, *spec.shared)] + [4 * 48 * 80]
    return sum(-(-size // 64) * 64 for size in sizes)


def test_every_buffer_that_is_used_lies_in_the_arena() -> None:
    memory = Memory(model(), 2)
    known = {id(array) for array in memory.arena.arrays.values()}
    used = [array for features in memory.features for array in vars(features).values()]
    used += vars(memory.embedding).values()
    for slot in memory.slots:
        used += [slot.template, slot.masks, slot.updates, slot.lost_frames, slot.probability]
        used += [*vars(slot.decoded).values(), *vars(slot.seen).values()]
    assert {id(array) for array in used} <= known


def test_slots_share_nothing() -> None:
    first, second = Memory(model(), 2).slots
    for name in ("template", "masks", "updates", "lost_frames", "probability"):
        assert not np.shares_memory(getattr(first, name), getattr(second, name))
    assert not np.shares_memory(first.decoded.update_weight, second.decoded.update_weight)
    assert not np.shares_memory(first.seen.s8, second.seen.s8)
    assert not np.shares_memory(first.seen.s16, second.seen.s16)


def test_a_slot_that_is_reset_forgets_everything_and_leaves_the_others() -> None:
    memory = Memory(model(), 2)
    for slot in memory.slots:
        slot.object_id = 9
        own = (slot.template, slot.masks, slot.updates, slot.lost_frames, slot.probability)
        for array in (*own, slot.decoded.update_weight):
            array.fill(7)
    first, second = memory.slots
    first.reset(4)
    assert first.object_id == 4
    for tensor in memory.spec.slot:
        assert not memory.arena[f"0.{tensor.name}"].any()
        assert np.all(memory.arena[f"1.{tensor.name}"] == 7)
    assert not first.probability.any()
    assert np.all(second.probability == 7)
    assert memory.occupied == [first, second]
    memory.reset()
    assert memory.occupied == []
    assert not second.template.any()


def test_occupied_slots_stand_in_their_order() -> None:
    memory = Memory(model(), 3)
    memory.slots[2].object_id, memory.slots[0].object_id = 1, 2
    assert memory.occupied == [memory.slots[0], memory.slots[2]]


def test_features_of_two_frames_take_turns() -> None:
    memory = Memory(model(), 1)
    now, before = memory.current, memory.previous
    assert not np.shares_memory(now.s8, before.s8)
    assert not np.shares_memory(now.s16, before.s16)
    memory.advance()
    assert memory.previous is now
    assert memory.current is before
    memory.advance()
    assert memory.current is now


@pytest.mark.parametrize("update", get_args(UpdateRule))
def test_the_size_does_not_depend_on_the_update_rule(update: UpdateRule) -> None:
    assert state_spec(model(update=update), 2) == state_spec(model(), 2)
