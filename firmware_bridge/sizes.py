"""Several sizes of one model: whether they belong together, and which one suits a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge_ttvos.contracts import ModelSpec
from edge_ttvos.errors import InputError, ModelError
from edge_ttvos.firmware_bridge.geometry import Fit


def check_one_model(models: Sequence[ModelSpec]) -> None:
    """Refuse what is not one model, once at each size.

    Raises:
        InputError: there is none.
        ModelError: different models, or two of one size.
    """
    if not models:
        raise InputError("a tracker needs an engine; got none")
    sizes = [f"{model.frame.height}x{model.frame.width}" for model in models]
    if len({replace(model, frame=models[0].frame) for model in models}) > 1:
        got = ", ".join(
            f"{model.name} ({model.precision}, sha256 {model.sha256[:12]}) at {size}"
            for model, size in zip(models, sizes, strict=True)
        )
        raise ModelError(f"a tracker's engines must run one model at several sizes; got {got}")
    if len(set(sizes)) < len(sizes):
        raise ModelError(f"a tracker takes one engine for each size; got {', '.join(sizes)}")


def choose(models: Sequence[ModelSpec], height: int, width: int) -> int:
    """Index of the size that keeps most pixels of frames (height, width); of equals the smallest.

    Args:
        models: one model at several sizes.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
    """

    def worth(index: int) -> tuple[int, int]:
        fit = Fit.of(models[index].frame, height, width)
        return fit.content[0] * fit.content[1], -fit.spec.height * fit.spec.width

    return max(range(len(models)), key=worth)
