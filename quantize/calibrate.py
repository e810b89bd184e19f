"""Observers watch the float model follow training clips: real recurrent states, late frames too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.data.pool import Sequence as Clip
from edge_ttvos.errors import QuantizationError
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.engine import model_spec
from edge_ttvos.quantize.engine import SimulatedEngine
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.observers import Observed
from edge_ttvos.quantize.recipe import Calibration
from edge_ttvos.quantize.scheme import TEMPLATE
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.quantize.weights import Kernels

Progress = Callable[[float], None]


def calibrate(
    checkpoint: Checkpoint,
    frame: FrameSpec,
    graphs: Sequence[Graph],
    clips: Sequence[Clip],
    plan: Calibration,
    progress: Progress = lambda share: None,
) -> dict[str, Observed]:
    """What every value of the float model was, over the plan's frames.

    Args:
        checkpoint: the float network.
        frame: the size that it runs at.
        graphs: of that network at that size.
        clips: training sequences; the plan takes some, evenly spread.
        plan: how many, how long, and which frames are looked at.
        progress: called with the share done.

    Returns:
        By the keys of ``scheme``.

    Raises:
        QuantizationError: too few clips or frames, a clip whose first mask is empty, or a value
            that became NaN.
    """
    simulation = Simulation(graphs, Kernels.of(graphs), None).eval()
    engine = SimulatedEngine(simulation, model_spec(checkpoint, frame))
    watcher = Watcher()
    with closing(Tracker(engine, max_objects=1)) as tracker:
        chosen = choose_clips(clips, plan)
        for index, clip in enumerate(chosen):
            run = rolled_out(clip, plan) if plan.rolled_out else independent(clip, plan)
            for share, frames, mask, looked_at in run:
                simulation.listen = watcher.see if looked_at else watcher.ignore
                if mask is not None:
                    tracker.start(frames, [mask])
                    continue
                tracker.step(frames)
                if looked_at:
                    template = tracker.memory.slots[0].template
                    watcher.see(TEMPLATE, torch.from_numpy(template))
                progress((index + share) / len(chosen))
    return watcher.seen


class Watcher:
    """Hands every value to its observer."""

    def __init__(self) -> None:
        self.seen: dict[str, Observed] = {}

    def see(self, name: str, value: Tensor) -> None:
        """One value of one frame."""
        self.seen.setdefault(name, Observed(name)).see(value)

    def ignore(self, name: str, value: Tensor) -> None:
        """Of a frame that only leads to others."""


def choose_clips(clips: Sequence[Clip], plan: Calibration) -> list[Clip]:
    """As many as the plan wants, evenly spread over those long enough.

    Raises:
        QuantizationError: there are too few, or one begins without its object.
    """
    chosen = [clips[index] for index in spread([len(clip.frames) for clip in clips], plan)]
    for clip in chosen:
        if not np.any(clip.masks[0]):
            raise QuantizationError(
                f"sequence {clip.name} shows no object in its first frame: calibration has nothing "
                "to follow there. Leave it out of --data"
            )
    return chosen


def spread(lengths: Sequence[int], plan: Calibration) -> list[int]:
    """Which of the sequences of these lengths (frames): evenly spread over those long enough.

    Raises:
        QuantizationError: there are too few.
    """
    long = [index for index, length in enumerate(lengths) if length > plan.seen]
    if len(long) < plan.sequences:
        raise QuantizationError(
            f"calibration needs {plan.sequences} sequences of more than {plan.seen} frames; "
            f"--data has {len(long)}. Give more, or lower calibration.sequences in the recipe"
        )
    places = np.linspace(0, len(long) - 1, plan.sequences).round().astype(int)
    return [long[place] for place in places]


Step = tuple[float, NDArray[np.uint8], NDArray[np.uint8] | None, bool]


def rolled_out(clip: Clip, plan: Calibration) -> Iterator[Step]:
    """(share done, frame, mask of a start or None, whether it is looked at): one long run."""
    length = min(plan.frames, len(clip.frames))
    looked = set(np.linspace(1, length - 1, plan.seen).round().astype(int).tolist())
    for index in range(length):
        mask = clip.masks[0] if index == 0 else None
        yield (index + 1) / length, clip.frames[index], mask, index in looked


def independent(clip: Clip, plan: Calibration) -> Iterator[Step]:
    """The same frames, each from the annotated mask of the one before."""
    length = min(plan.frames, len(clip.frames))
    for index in np.linspace(1, length - 1, plan.seen).round().astype(int).tolist():
        if np.any(clip.masks[index - 1]):
            yield 0.0, clip.frames[index - 1], clip.masks[index - 1], False
            yield (index + 1) / length, clip.frames[index], None, True
