"""Plans into pixels, on the CPU with OpenCV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.motion import bend_maps, sampling_maps
from edge_ttvos.data.plan import ClipPlan, Grade, LayerPlan
from edge_ttvos.data.pool import Image


@dataclass(frozen=True)
class Layer:
    """One layer over time: colours (T, H, W, 3) uint8 and coverage (T, H, W) uint8 of 0…255."""

    frames: Image
    alpha: Image


def render(plan: ClipPlan) -> tuple[Image, Image]:
    """Frames (T, H, W, 3) RGB uint8 and each target's masks (K, T, H, W) uint8 of 0 and 1."""
    layers = [warped(layer, plan.size) for layer in plan.layers]
    alphas = [layer.alpha for layer in layers]
    frames = _graded(composite(layers), plan.grade)
    masks = np.stack([visible(alphas, target.layer) for target in plan.targets]).astype(np.uint8)
    if plan.mirrored:
        frames, masks = frames[:, :, ::-1], masks[..., ::-1]
    return np.ascontiguousarray(frames), np.ascontiguousarray(masks)


def first_mask(layers: Sequence[LayerPlan], number: int, size: tuple[int, int]) -> Image:
    """What is seen of a layer in the first frame, not mirrored: (H, W) uint8 of 0 and 1."""
    alphas = [_alphas(layer, size, slice(1)) for layer in layers[number:]]
    return np.asarray(visible(alphas, 0)[0], np.uint8)


def warped(layer: LayerPlan, size: tuple[int, int]) -> Layer:
    """A layer's pixels."""
    colours = _warped(layer, layer.images, size, slice(None), cv2.BORDER_REFLECT_101)
    return Layer(colours, _alphas(layer, size))


def composite(layers: list[Layer]) -> Image:
    """The layers painted in order."""
    frames = layers[0].frames
    for layer in layers[1:]:
        alpha = layer.alpha[..., None].astype(np.uint16)
        frames = ((layer.frames * alpha + frames * (255 - alpha)) // 255).astype(np.uint8)
    return frames


def visible(alphas: list[Image], target: int) -> NDArray[np.bool_]:
    """Where the target's layer covers and no later one does."""
    shown = alphas[target] > 127
    for alpha in alphas[target + 1 :]:
        shown = shown & ~(alpha > 127)
    return np.asarray(shown)


def _alphas(layer: LayerPlan, size: tuple[int, int], part: slice = slice(None)) -> Image:
    border = cv2.BORDER_CONSTANT if layer.cut else cv2.BORDER_REFLECT_101
    return _warped(layer, layer.masks, size, part, border)


def _warped(
    layer: LayerPlan, sources: Iterable[Image], size: tuple[int, int], part: slice, border: int
) -> Image:
    """Sources of the frames in ``part``, each where its pose and bend put it."""
    warped = []
    bends = [None] * len(layer.poses) if layer.bends is None else list(layer.bends)
    for source, pose, bend in list(zip(sources, layer.poses, bends, strict=True))[part]:
        x, y = sampling_maps(pose, layer.centre, size)
        if bend is not None:
            dx, dy = bend_maps(bend, size)
            x, y = x + dx, y + dy
        warped.append(cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=border))
    return np.asarray(np.stack(warped), np.uint8)


def _graded(frames: Image, grade: Grade) -> Image:
    levels = np.arange(256)[None, :, None]
    tables = np.clip((levels - 128) * grade.gain[:, None] + 128 + grade.offset[:, None], 0, 255)
    graded = np.stack(
        [cv2.LUT(f, t[None].astype(np.uint8)) for f, t in zip(frames, tables, strict=True)]
    )
    if grade.sigma is not None:
        graded = np.stack([cv2.GaussianBlur(f, (0, 0), grade.sigma) for f in graded])
    if grade.grey:
        graded = np.repeat(graded.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    return np.asarray(graded, np.uint8)
