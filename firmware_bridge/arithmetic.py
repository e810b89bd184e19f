"""The float arithmetic between the static graphs, in place: nothing here allocates.

Equations are the paper's; arrays are channel-last as everywhere on the board's side.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.codes import Array, Codec

Float = NDArray[np.float32]

CERTAIN = 20.0  # log-odds beyond which an object is as good as certain
LARGEST = 1e29  # of odds: times exp(CERTAIN) it is still a float32


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


def aggregate(planes: Sequence[Float], total: Float, background: Float) -> None:
    """Log-odds of all objects → their probabilities, in place; (H, W) each.

    One object: the sigmoid, which is its own softmax. Two or more: soft aggregation. Background is
    Π(1 − pᵢ); odds are normalised over background and objects. With eᵢ = p/(1 − p) the background's
    odds are 1/P, P = Π(1 + eᵢ) − 1, which is summed up without cancellation.

    Args:
        planes: of the objects, log-odds dᵢ, overwritten with aᵢ.
        total: scratch (H, W).
        background: scratch (H, W).
    """
    for plane in planes:
        np.clip(plane, -CERTAIN, CERTAIN, out=plane)
        np.exp(plane, out=plane)
    if len(planes) < 2:
        for odds in planes:
            np.add(odds, 1, out=total)
            odds /= total
        return
    background.fill(0)
    for odds in planes:
        np.multiply(background, odds, out=total)
        background += total
        background += odds
        np.minimum(background, LARGEST, out=background)
    np.reciprocal(background, out=total)
    for odds in planes:
        total += odds
    for odds in planes:
        odds /= total


def push_mask(masks: Array, probability: Float, scratch: tuple[Float, Float], codec: Codec) -> None:
    """8×8 means of a probability (H, W) become the newest of the mask history (h8, w8, 2k)."""
    for channel in range(masks.shape[-1] - 1, 1, -1):
        masks[..., channel] = masks[..., channel - 2]
    write_newest(masks, probability, scratch, codec)


def write_newest(
    masks: Array, probability: Float, scratch: tuple[Float, Float], codec: Codec
) -> None:
    """8×8 means of a probability (H, W) replace the newest of the mask history (h8, w8, 2k).

    Args:
        masks: values or codes.
        probability: of the object.
        scratch: (h8, w8), twice.
        codec: of ``masks``.
    """
    object_, rest = scratch
    cv2.resize(probability, object_.shape[::-1], dst=object_, interpolation=cv2.INTER_AREA)
    np.subtract(1, object_, out=rest)
    codec.write(object_, masks[..., 1])
    codec.write(rest, masks[..., 0])
