from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.data.pool import Sequence
from edge_ttvos.errors import QuantizationError
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.quantize.calibrate import calibrate, choose_clips, independent, rolled_out
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.observers import Observed
from edge_ttvos.quantize.recipe import Calibration
from edge_ttvos.quantize.scheme import TEMPLATE, key

Clips = tuple[Sequence, ...]


def test_every_value_and_the_template_are_seen(
    graphs: tuple[Graph, ...], seen: dict[str, Observed]
) -> None:
    keys = {key(graph, node.name) for graph in graphs for node in graph.nodes}

    assert set(seen) == {*keys, TEMPLATE}
    assert all(found.low <= found.high for found in seen.values())


def test_a_run_is_looked_at_to_its_end(sequences: Clips, plan: Calibration) -> None:
    steps = list(rolled_out(sequences[0], plan))

    assert [mask is not None for _, _, mask, _ in steps] == [True, *[False] * 5]
    assert [looked for *_, looked in steps] == [False, True, False, True, False, True]
    assert steps[-1][0] == 1.0


def test_independent_frames_start_from_the_annotation_before(
    sequences: Clips, plan: Calibration
) -> None:
    steps = list(independent(sequences[0], plan))

    assert [mask is not None for _, _, mask, _ in steps] == [True, False] * 3
    np.testing.assert_array_equal(steps[-2][2], sequences[0].masks[4])
    np.testing.assert_array_equal(steps[-1][1], sequences[0].frames[5])


def test_its_own_state_shows_other_values(
    checkpoint: Checkpoint,
    graphs: tuple[Graph, ...],
    sequences: Clips,
    plan: Calibration,
    seen: dict[str, Observed],
) -> None:
    alone = replace(plan, rolled_out=False)
    others = calibrate(checkpoint, FrameSpec(48, 80), graphs, sequences, alone)

    assert others["embed/masks"].high == 1.0  # annotated masks, which are certain
    assert not torch.equal(others["embed/masks"].sample, seen["embed/masks"].sample)
    torch.testing.assert_close(others["encode/frame"].sample, seen["encode/frame"].sample)


def test_too_few_sequences(sequences: Clips) -> None:
    with pytest.raises(QuantizationError, match=r"needs 12 sequences .* has 0"):
        choose_clips(sequences, Calibration())
    with pytest.raises(QuantizationError, match=r"needs 3 sequences .* has 2"):
        choose_clips(sequences, Calibration(sequences=3, frames=5, seen=2))


def test_a_clip_that_begins_without_its_object(sequences: Clips, plan: Calibration) -> None:
    empty = np.zeros_like(sequences[0].masks[0])
    hidden = replace(sequences[0], masks=(empty, *sequences[0].masks[1:]))
    with pytest.raises(QuantizationError, match="sequence walk0 shows no object"):
        choose_clips((hidden, sequences[1]), plan)
