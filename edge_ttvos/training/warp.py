"""Plans into pixels on a device: the arithmetic of ``data.render``, for all frames at once.

Where OpenCV rounds, this rounds: sampling points to 1/32 of a pixel, results to whole levels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from edge_ttvos.training.plans import Plans

STEPS = 32  # sampling points a pixel, as in cv2.remap


def warp(plans: Plans) -> tuple[UInt8[Tensor, "b t h w 3"], UInt8[Tensor, "b k t h w"]]:
    """Frames in RGB, and each target's masks of 0 and 1, on the plans' device."""
    depths, clips, length = plans.rows.shape
    shape = (clips * length, *plans.size)
    device = plans.rows.device
    frames = torch.zeros(*shape, 3, dtype=torch.int32, device=device)
    target = plans.target.repeat_interleave(length, dim=0)
    shown = torch.zeros(shape[0], target.shape[1], *plans.size, dtype=torch.bool, device=device)
    for depth in range(depths):
        rows = plans.rows[depth].flatten()
        there = (rows >= 0).nonzero()[:, 0]
        colours, alpha = _sampled(plans, rows[there])
        if depth == 0:
            frames[there] = colours
        else:
            frames[there] = _over(colours, frames[there], alpha[..., None])
        covers = (alpha > 127)[:, None]
        own = (target[there] == depth)[..., None, None]
        behind = (target[there] < depth)[..., None, None]
        shown[there] = (own & covers) | (behind & shown[there] & ~covers)
    frames = _graded(plans, frames.view(clips, length, *plans.size, 3))
    masks = shown.view(clips, length, -1, *plans.size).transpose(1, 2)
    mirrored = plans.mirrored.view(-1, 1, 1, 1, 1)
    frames = torch.where(mirrored, frames.flip(3), frames)
    masks = torch.where(mirrored, masks.flip(4), masks)
    return frames.to(torch.uint8), masks.to(torch.uint8)


def given(
    first: UInt8[Tensor, "b k h w"], slack: Float[Tensor, "b k 4"]
) -> Float[Tensor, "b k h w"]:
    """What the tracker is told, 0…1: the first mask where the slack is NaN, else a box's prior.

    Of a target that the first frame does not show: nothing.
    """
    boxed = ~slack.isnan().any(dim=2) & (first > 0).flatten(2).any(dim=2)
    slack = slack.nan_to_num()
    left, right = _sides(first.amax(dim=2), slack[..., 0], slack[..., 2])
    top, bottom = _sides(first.amax(dim=3), slack[..., 1], slack[..., 3])
    height, width = first.shape[2:]
    across = _from_centre(left, right, width)
    down = _from_centre(top, bottom, height)
    prior = down[..., :, None] * across[..., None, :]
    return torch.where(boxed[..., None, None], prior, first.float())


def _sides(
    line: UInt8[Tensor, "b k n"], before: Float[Tensor, "b k"], after: Float[Tensor, "b k"]
) -> tuple[Float[Tensor, "b k"], Float[Tensor, "b k"]]:
    """Where each line's 1s begin and end in pixels, moved out by these shares of their span."""
    first = line.argmax(dim=2).float()
    end = line.shape[2] - line.flip(2).argmax(dim=2).float()
    span = end - first
    return (first - before * span).round(), (end + after * span).round()


def _from_centre(
    start: Float[Tensor, "b k"], end: Float[Tensor, "b k"], length: int
) -> Float[Tensor, "b k n"]:
    """exp(−r²) at each pixel's centre, r from 0 in the middle to 1 at the sides; 0 outside."""
    centre = torch.arange(length, device=start.device) + 0.5
    middle, half = (start + end)[..., None] / 2, (end - start)[..., None] / 2
    r = (centre - middle) / half.clamp(min=0.5)
    return torch.where(r.abs() < 1, (-r * r).exp(), 0.0)


def _over(
    colours: Int[Tensor, "n h w 3"], behind: Int[Tensor, "n h w 3"], alpha: Int[Tensor, "n h w 1"]
) -> Int[Tensor, "n h w 3"]:
    blended = colours * alpha + behind * (255 - alpha)
    return torch.div(blended, 255, rounding_mode="floor")


def _sampled(
    plans: Plans, rows: Int[Tensor, " n"]
) -> tuple[Int[Tensor, "n h w 3"], Int[Tensor, "n h w"]]:
    """Colours and coverage of these rows, bilinear, in whole levels."""
    x, y = _points(plans, rows)
    source, extents = plans.source[rows], plans.extents[plans.source[rows]]
    height, width = (side.view(-1, 1, 1) for side in extents.unbind(1))
    solid = ~plans.cut[rows].view(-1, 1, 1)
    flat = plans.sources.flatten(0, 2)
    rows_of, stride = plans.sources.shape[1:3]
    total = torch.zeros(*x.shape, 4, device=x.device)
    for down in (0, 1):
        for right in (0, 1):
            column, row = x.floor().long() + right, y.floor().long() + down
            weight = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            row, column = _reflected(row, height), _reflected(column, width)
            taken = flat[(source.view(-1, 1, 1) * rows_of + row) * stride + column].float()
            taken[..., 3] *= inside | solid
            total += weight[..., None] * taken
    levels = (total + 0.5).floor().int()
    return levels[..., :3], levels[..., 3]


def _points(
    plans: Plans, rows: Int[Tensor, " n"]
) -> tuple[Float[Tensor, "n h w"], Float[Tensor, "n h w"]]:
    """The point of its source that each pixel shows, x and y."""
    height, width = plans.size
    device = plans.matrix.device
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    pixels = torch.stack([x, y, torch.ones_like(x)]).float().flatten(1)
    points = (plans.matrix[rows] @ pixels).view(-1, 2, height, width)
    points = points + F.interpolate(plans.bends[rows], plans.size, mode="bicubic")
    points = (points * STEPS).round() / STEPS
    return points[:, 0], points[:, 1]


def _reflected(at: Int[Tensor, "n h w"], length: Int[Tensor, "n 1 1"]) -> Int[Tensor, "n h w"]:
    """…2 1 0 1 2…: the edge's pixel is not repeated."""
    last = (length - 1).clamp(min=1)
    return torch.minimum((last - (at.remainder(2 * last) - last).abs()), length - 1)


def _graded(plans: Plans, frames: Int[Tensor, "b t h w 3"]) -> Int[Tensor, "b t h w 3"]:
    gain, offset = plans.gain[:, :, None, None], plans.offset[:, :, None, None]
    graded = ((frames - 128) * gain + 128 + offset).clamp(0, 255).int()
    for clip in plans.sigma.nonzero()[:, 0].tolist():
        graded[clip] = _blurred(graded[clip], float(plans.sigma[clip]))
    grey = graded.float().mean(dim=-1, keepdim=True).int().expand_as(graded)
    return torch.where(plans.grey.view(-1, 1, 1, 1, 1), grey, graded)


def _blurred(frames: Int[Tensor, "t h w 3"], sigma: float) -> Int[Tensor, "t h w 3"]:
    """As cv2.GaussianBlur: as wide as six sigma and one, reflected at the edges."""
    reach = (round(6 * sigma + 1) | 1) // 2
    at = torch.arange(-reach, reach + 1, device=frames.device)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = kernel / kernel.sum()
    planes = frames.permute(0, 3, 1, 2).flatten(0, 1)[:, None].float()
    padded = F.pad(planes, (reach, reach, reach, reach), mode="reflect")
    across = F.conv2d(padded, kernel.view(1, 1, 1, -1))
    blurred = F.conv2d(across, kernel.view(1, 1, -1, 1))
    levels = (blurred + 0.5).floor().int().view(len(frames), 3, *frames.shape[1:3])
    return levels.permute(0, 2, 3, 1)
