"""The box head in NumPy: what a box holds, from the features of its own frame.

``network.box_head`` has the same in PyTorch, and trains it. Here it runs once an object, in float32
whatever the engine, outside the arena: what it allocates is gone when it returns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import S4, S8, S16

Float = NDArray[np.float32]

WIDTH = 32  # channels of a place
FINE = 16  # channels at 1/4
ROUNDS = 2  # of comparing
CAUTION = 1.0  # log-odds that a pixel must have beyond even ones: what is in doubt stays out
PLACES = 512  # compared at a time, so that large frames need no large matrix

# Parameters in the order of PyTorch's, in its shapes: (out, in) or (out, in, 3, 3), then biases.
SHAPES: Mapping[str, tuple[int, ...]] = {
    "enter8.weight": (WIDTH, S8 + 2),
    "enter8.bias": (WIDTH,),
    "enter16.weight": (WIDTH, S16),
    **{
        f"rounds.{i}.{name}": shape
        for i in range(ROUNDS)
        for name, shape in {
            "query.weight": (WIDTH, WIDTH),
            "query.bias": (WIDTH,),
            "key.weight": (WIDTH, WIDTH),
            "key.bias": (WIDTH,),
            "value.weight": (WIDTH, WIDTH),
            "value.bias": (WIDTH,),
            "join.weight": (WIDTH, 2 * WIDTH, 3, 3),
            "join.bias": (WIDTH,),
        }.items()
    },
    "fine.weight": (FINE, WIDTH + S4, 3, 3),
    "fine.bias": (FINE,),
    "leave.weight": (1, FINE, 3, 3),
    "leave.bias": (1,),
}
SIZE = sum(math.prod(shape) for shape in SHAPES.values())  # float32 numbers


def read_weights(data: bytes) -> Float:
    """The weights in a file: little-endian float32, in the order of ``SHAPES``.

    Raises:
        ValueError: they are fewer or more than ``SIZE``, or not finite.
    """
    if len(data) != 4 * SIZE:
        raise ValueError(f"must have {4 * SIZE} bytes; got {len(data)}")
    weights = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(weights).all():
        raise ValueError("holds NaN or infinity")
    return weights


class BoxHead:
    """Finds the object in a box.

    Args:
        weights: (SIZE,), in the order of ``SHAPES``.
    """

    def __init__(self, weights: Float) -> None:
        ends = np.cumsum([math.prod(shape) for shape in SHAPES.values()])[:-1]
        parts = np.split(weights, ends)
        self._parts = {
            name: _inputs_first(part.reshape(shape))
            for (name, shape), part in zip(SHAPES.items(), parts, strict=True)
        }

    def log_odds(self, s4: Float, s8: Float, s16: Float, prior: Float, out: Float) -> None:
        """Of the object, at every pixel.

        Args:
            s4: (h4, w4, 16), features of the frame that the box was drawn in.
            s8: (h8, w8, 32).
            s16: (h16, w16, 192).
            prior: (H, W), above 0 inside the box, surest in its middle.
            out: (H, W), receives the log-odds.
        """
        size = s8.shape[1::-1]
        told = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (prior, _above_0(prior))]
        x = self._linear("enter8", np.concatenate([s8, np.stack(told, axis=-1)], axis=-1))
        x += _enlarged(s16 @ self._parts["enter16.weight"], size)
        np.maximum(x, 0, out=x)
        for number in range(ROUNDS):
            x = self._compared(f"rounds.{number}", x)
        x = np.concatenate([_enlarged(x, s4.shape[1::-1]), s4], axis=-1)
        x = self._convolved("leave", np.maximum(self._convolved("fine", x), 0))
        cv2.resize(x, out.shape[::-1], dst=out, interpolation=cv2.INTER_LINEAR)

    def _compared(self, name: str, x: Float) -> Float:
        """Each place at 1/8 looks at all places at 1/16, and then at its neighbours."""
        height, width, _ = x.shape
        coarse = x.reshape(height // 2, 2, width // 2, 2, WIDTH).mean(axis=(1, 3))
        coarse = coarse.reshape(-1, WIDTH)
        keys = self._linear(f"{name}.key", coarse).T
        values = self._linear(f"{name}.value", coarse)
        queries = self._linear(f"{name}.query", x.reshape(-1, WIDTH))
        queries /= np.float32(math.sqrt(WIDTH))
        seen = np.empty_like(queries)
        for start in range(0, len(queries), PLACES):
            scores = queries[start : start + PLACES] @ keys
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            np.matmul(scores, values, out=seen[start : start + PLACES])
        both = np.concatenate([x, seen.reshape(x.shape)], axis=-1)
        return x + np.maximum(self._convolved(f"{name}.join", both), 0)

    def _linear(self, name: str, x: Float) -> Float:
        mapped: Float = x @ self._parts[f"{name}.weight"] + self._parts[f"{name}.bias"]
        return mapped

    def _convolved(self, name: str, x: Float) -> Float:
        """3×3, same size."""
        height, width, _ = x.shape
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        weight = self._parts[f"{name}.weight"]
        total = np.broadcast_to(self._parts[f"{name}.bias"], (height, width, weight.shape[-1]))
        total = total.copy()
        for down in range(3):
            for right in range(3):
                total += padded[down : down + height, right : right + width] @ weight[down, right]
        return total


def _inputs_first(part: Float) -> Float:
    """PyTorch's (out, in) → (in, out), and (out, in, 3, 3) → (3, 3, in, out)."""
    order = (2, 3, 1, 0) if part.ndim == 4 else tuple(range(part.ndim))[::-1]
    return np.ascontiguousarray(part.transpose(order))


def _above_0(prior: Float) -> Float:
    return (prior > 0).astype(np.float32)


def _enlarged(x: Float, size: tuple[int, ...]) -> Float:
    """Bilinear, to (width, height)."""
    larger: Float = np.empty((*size[::-1], x.shape[-1]), np.float32)
    cv2.resize(x, size, dst=larger, interpolation=cv2.INTER_LINEAR)
    return larger
