"""What a box should become before it is followed: what the network or GrabCut finds in it, or all.

    python benchmarks/box_prompts.py --root DAVIS [--sequences a,b] [--model M] [--json FILE]

Every object starts from its first mask's bounding box, moved and grown as a finger would draw it
where ``--slack`` is above 0. The default sequences are the six that no training run sees.

GrabCut: Rother, Kolmogorov, Blake, SIGGRAPH 2004; OpenCV's implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.evaluation.datasets import Sequence, open_dataset, parse_sequences
from edge_ttvos.evaluation.report import j_and_f
from edge_ttvos.evaluation.score import score_sequence
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.evaluate import bounding_box
from edge_ttvos.firmware_bridge.prompts import Box, Prompt, parse_prompt
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

HELD_OUT = "breakdance-flare,dog-agility,drift-turn,hike,motorbike,soccerball"

LONGEST = 640  # pixels of the longer side that GrabCut works at; its time grows with the area
ROUNDS = 5
LEAST = 0.1  # share of the box; what is smaller is no object but a speck

Image = NDArray[np.uint8]
Start = Callable[[Image, NDArray[np.bool_], Box], Prompt]


def filled(frame: Image, box: Box) -> NDArray[np.uint8]:
    """All of the box: (H, W) of 0 and 1."""
    return np.asarray(parse_prompt(box, *frame.shape[:2]).plane > 0, np.uint8)


def ellipse(frame: Image, mask: NDArray[np.bool_], box: Box) -> Prompt:
    """The ellipse that touches the box's sides."""
    drawn = np.zeros(frame.shape[:2], np.uint8)
    centre = (round(box.x + box.width / 2), round(box.y + box.height / 2))
    axes = (max(1, round(box.width / 2)), max(1, round(box.height / 2)))
    cv2.ellipse(drawn, centre, axes, 0, 0, 360, 1, cv2.FILLED)
    return drawn


def cut_out(frame: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The object that a box was drawn around.

    Args:
        frame: (H, W, 3) RGB uint8.
        box: in pixels.

    Returns:
        (H, W) uint8 of 0 and 1; the whole box where GrabCut finds next to nothing in it.

    Raises:
        MaskError: the box has no area, or is outside the frame or all of it.
    """
    inside = filled(frame, box)
    scale = min(1.0, LONGEST / max(inside.shape))
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    where = cv2.resize(inside, small.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    if not 0 < np.count_nonzero(where) < where.size:
        return inside
    found = _grab(small, where)
    grown = cv2.resize(found, inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mask = np.asarray((grown > 0.5) & (inside > 0), np.uint8)
    return mask if np.count_nonzero(mask) >= LEAST * np.count_nonzero(inside) else inside


def _grab(frame: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """1 where a pixel inside is probably the object's."""
    marks = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    models = np.zeros((2, 1, 65), np.float64)
    cv2.setRNGSeed(0)  # its clusters begin at random: the same box, the same mask
    cv2.grabCut(np.ascontiguousarray(frame), marks, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


STARTS: dict[str, Start] = {
    "mask": lambda frame, mask, box: mask,
    "network": lambda frame, mask, box: box,
    "filled": lambda frame, mask, box: filled(frame, box),
    "ellipse": ellipse,
    "grabcut": lambda frame, mask, box: cut_out(frame, box),
}


def box_prompts(
    root: Annotated[Path, typer.Option("--root", help="A data set in the DAVIS layout.")],
    sequences: str = HELD_OUT,
    model: str = "default",
    threads: int | None = None,
    slack: Annotated[float, typer.Option(help="Share of its sides that the box is grown by.")] = 0,
    json: Path | None = None,
) -> None:
    """Follow every sequence from every start."""
    dataset = open_dataset("davis2016", root, parse_sequences(sequences))
    show, table = Screen(json), {}
    tracker = Tracker.open(model, None, 1, EngineOptions(threads=threads))
    with closing(tracker), show.progress("box prompts") as line:
        for index, sequence in enumerate(dataset):
            line.update(index / len(dataset), sequence.name)
            table[sequence.name] = {
                name: follow(tracker, sequence, start, slack) for name, start in STARTS.items()
            }
    mean = {name: float(np.mean([row[name] for row in table.values()])) for name in STARTS}
    rows = [(name, *(f"{row[s]:.1f}" for s in STARTS)) for name, row in table.items()]
    rows.append(("mean", *(f"{mean[s]:.1f}" for s in STARTS)))
    show.table(f"J&F by what the object starts from, slack {slack:g}", ("sequence", *STARTS), rows)
    record = {"schema": 1, "complete": True, "slack": slack, "J&F": mean, "sequences": table}
    show.result({**record, "protocol": protocol(tracker)})


def follow(tracker: Tracker, sequence: Sequence, start: Start, slack: float) -> float:
    """J&F in percent."""
    masks: dict[str, Image] = {}
    given = sequence.start_masks(sequence.frames[0].stem)[1]
    for path in sequence.frames:
        frame = read_image(path)
        if masks:
            result = tracker.step(frame)
        else:
            prompt = start(frame, given, grown(bounding_box(given), slack))
            result = tracker.start(frame, {1: prompt})
        masks[path.stem] = result.mask.copy()
    score = score_sequence(sequence, masks.get)
    return j_and_f(score.j, score.f) or 0.0


def grown(box: Box, slack: float) -> Box:
    """The box with its sides moved outwards, each by half of ``slack``."""
    across, down = slack * box.width, slack * box.height
    return Box(box.x - across / 2, box.y - down / 2, box.width + across, box.height + down)


if __name__ == "__main__":
    typer.run(guarded(box_prompts))
