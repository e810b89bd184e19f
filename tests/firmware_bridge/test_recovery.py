"""The shipped weights on a clip in which the object leaves the picture and comes back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import ObjectState, Tracker

WIDTH = 400  # pixels of the demo's 854: the window that a camera sees
HERE, THERE = 90, 450  # its left edge when it shows the cup, and when it does not
SWING, AWAY, BEFORE, AFTER = 5, 15, 6, 10  # frames
STILLS = 6  # of the demo, forward and backward: the cup is left of the window's other place


@dataclass(frozen=True)
class View:
    """One frame: RGB (240, 200, 3), whether each pixel is the cup's, and where the camera looks."""

    image: np.ndarray
    cup: np.ndarray
    left: int


def turning_away(demo: Path) -> list[View]:
    """The camera turns from the cup to the launch pad beside it, and back after 15 frames."""
    images, masks = demo / "JPEGImages" / "demo", demo / "Annotations" / "demo"
    stills = [
        (read_image(images / f"{i:05d}.jpg"), read_mask(masks / f"{i:05d}.png") > 0)
        for i in range(STILLS)
    ]
    there = np.linspace(HERE, THERE, SWING + 1).astype(int)
    lefts = [HERE] * BEFORE + [*there] + [THERE] * (AWAY - 2) + [*there[::-1]] + [HERE] * AFTER
    order = [*range(STILLS), *range(STILLS - 2, 0, -1)]
    views = []
    for index, left in enumerate(lefts):
        image, cup = stills[order[index % len(order)]]
        seen = np.s_[:, left : left + WIDTH]
        half = cv2.resize(image[seen], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        views.append(View(half, np.ascontiguousarray(cup[seen][::2, ::2]), int(left)))
    return views


@pytest.fixture(scope="module")
def views(root: Path) -> list[View]:
    return turning_away(root / "examples" / "demo")


def test_the_cup_is_lost_while_it_is_away_and_found_when_it_is_back(views: list[View]) -> None:
    options = EngineOptions(size=(240, 208), threads=1)
    tracker = Tracker.open(engine="torch", max_objects=1, options=options)
    tracker.start(views[0].image, {1: views[0].cup})
    slot = tracker.memory.slots[0]
    overlap, lost, updates = [1.0], [False], [0]
    for view in views[1:]:
        before = slot.template.copy(), slot.masks.copy()
        result = tracker.step(view.image)
        overlap.append(jaccard(result.mask > 0, view.cup))
        lost.append(result.states[1] is ObjectState.LOST)
        updates.append(int(slot.updates[0]))
        if lost[-2] and lost[-1]:
            np.testing.assert_array_equal(slot.template, before[0])
            np.testing.assert_array_equal(slot.masks, before[1])
    away = [i for i, view in enumerate(views) if not view.cup.any()]
    assert len(away) >= AWAY
    assert sum(lost[i] for i in away) >= AWAY - 2  # it may take a frame to see, and one to believe
    assert updates[away[-1]] - updates[away[0]] <= 2
    assert np.mean(overlap[:BEFORE]) > 0.95
    assert np.mean(overlap[-AFTER:]) > 0.7  # a tracker without guards: 0.0
    assert not any(lost[-AFTER:])
