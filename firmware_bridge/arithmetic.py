"""The float arithmetic between the static graphs, in place: nothing here allocates.

Equations are the paper's; arrays are channel-last as everywhere on the board's side.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

STATE_STRIDE = 8  # pixels: masks of the state stand at 1/8
CERTAIN = 2.0**-20  # least distance of p from 0 and 1 in odds; 1 − CERTAIN is exact in float32


def embedding_matrix(f: Float, g: Float, scaled: bool, out: Float, row: Float) -> None:
    """I = softmax_rows(f gᵀ), eq. (1).

    Args:
        f: (h8, w8, c).
        g: (h8, w8, c).
        scaled: divide the product by sqrt(h8 · w8) first (``release``).
        out: (c, c), receives I.
        row: (c, 1), scratch.
    """
    channels = f.shape[-1]
    pixels = f.size // channels
    np.matmul(f.reshape(pixels, channels).T, g.reshape(pixels, channels), out=out)
    if scaled:
        out /= np.float32(pixels**0.5)
    np.max(out, axis=1, keepdims=True, out=row)
    out -= row
    np.exp(out, out=out)
    np.sum(out, axis=1, keepdims=True, out=row)
    out /= row


def running_average(template: Float, matrix: Float, step: float) -> None:
    """TP ← TP + step · (I − TP), in place; ``matrix`` holds I and is used up.

    Eq. (2) is step = 1/t; the release's rule is step = w/(1+w).
    """
    matrix -= template
    matrix *= np.float32(step)
    template += matrix


def read_template(template: Float, q: Float, out: Float) -> None:
    """A = TP q, eq. (3); q and out are (h8, w8, c)."""
    channels = q.shape[-1]
    np.matmul(q.reshape(-1, channels), template.T, out=out.reshape(-1, channels))


def foreground(logits: Float, out: Float) -> None:
    """Softmax over (background, foreground): logits (H, W, 2) → probability (H, W)."""
    np.subtract(logits[..., 0], logits[..., 1], out=out)
    np.clip(out, -30, 30, out=out)
    np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)


def aggregate(probabilities: Sequence[Float], odds: Float, total: Float) -> None:
    """Soft aggregation of two or more objects, in place; (H, W) each.

    Background is Π(1 − pᵢ); every probability becomes odds p/(1 − p), normalised over background
    and objects. One object keeps its own softmax.

    Args:
        probabilities: of the objects, overwritten with aᵢ.
        odds: scratch (H, W).
        total: scratch (H, W).
    """
    if len(probabilities) < 2:
        return
    odds.fill(1)
    for p in probabilities:
        np.subtract(1, p, out=total)
        odds *= total
    _to_odds(odds, total)
    for p in probabilities:
        _to_odds(p, total)
    np.copyto(total, odds)
    for p in probabilities:
        total += p
    for p in probabilities:
        p /= total


def _to_odds(p: Float, scratch: Float) -> None:
    np.clip(p, CERTAIN, 1 - CERTAIN, out=p)
    np.subtract(1, p, out=scratch)
    p /= scratch


def push_mask(masks: Float, probability: Float, small: Float) -> None:
    """8×8 means of a probability (H, W) become the newest of the mask history (h8, w8, 2k)."""
    for channel in range(masks.shape[-1] - 1, 1, -1):
        masks[..., channel] = masks[..., channel - 2]
    write_newest(masks, probability, small)


def write_newest(masks: Float, probability: Float, small: Float) -> None:
    """8×8 means of a probability (H, W) replace the newest of the mask history (h8, w8, 2k)."""
    cv2.resize(probability, small.shape[::-1], dst=small, interpolation=cv2.INTER_AREA)
    masks[..., 1] = small
    np.subtract(1, small, out=masks[..., 0])
