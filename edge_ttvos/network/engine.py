"""PyTorch as an engine: the float32 reference that the host injects into the board's tracker."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_ttvos.contracts import BORDER, SIDE_MULTIPLE, FrameSpec, ModelSpec
from edge_ttvos.firmware_bridge.codes import Array
from edge_ttvos.firmware_bridge.engines.base import (
    Decoded,
    Embedding,
    EngineInfo,
    Features,
)
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.network import hrnet
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.folding import fold_batchnorm


class TorchEngine:
    """Runs a checkpoint eagerly on the CPU, batch normalisation folded, channels last.

    Args:
        checkpoint: the network and its origin.
        size: height and width in pixels, rounded up to multiples of 16; None: the checkpoint's.
    """

    def __init__(self, checkpoint: Checkpoint, size: tuple[int, int] | None = None) -> None:
        self.network = fold_batchnorm(checkpoint.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = model_spec(checkpoint, FrameSpec(*rounded_up(size or checkpoint.size)))

    @property
    def info(self) -> EngineInfo:
        """Engine and version, device, threads."""
        return EngineInfo("torch", torch.__version__, device(), torch.get_num_threads())

    @torch.inference_mode()
    def encode(self, frame: NDArray[np.uint8], features: Features) -> None:
        """RGB uint8 (H + 1, W + 1, 3) → features; PyTorch pads by itself."""
        maps = self.network.encode(_tensor(frame[BORDER:, BORDER:]).float())
        for target, source in zip((features.s4, features.s8, features.s16), maps, strict=True):
            _tensor(target).copy_(source)

    @torch.inference_mode()
    def embed(self, previous_s8: Array, masks: Array, s8: Array, embedding: Embedding) -> None:
        """s8 of both frames and the masks → s8′, and f, g, q where there is a template."""
        modified, maps = self.network.embed(_tensor(previous_s8), _tensor(masks), _tensor(s8))
        _tensor(embedding.s8).copy_(modified)
        if maps is not None:
            for target, source in zip((embedding.f, embedding.g, embedding.q), maps, strict=True):
                _tensor(target).copy_(source)

    @torch.inference_mode()
    def decode(
        self,
        features: Features,
        modified_s8: Array,
        attention: Array,
        previous_s16: Array,
        masks: Array,
        decoded: Decoded,
    ) -> None:
        """Similarity, short-term matching and decoder → log-odds and w."""
        output = self.network.decode(
            hrnet.Features(_tensor(features.s4), _tensor(features.s8), _tensor(features.s16)),
            _tensor(modified_s8),
            _tensor(attention),
            _tensor(previous_s16),
            _tensor(masks),
        )
        torch.sub(output.logits[0, 1], output.logits[0, 0], out=torch.from_numpy(decoded.log_odds))
        if output.weight is not None:
            torch.from_numpy(decoded.update_weight).copy_(output.weight)

    def close(self) -> None:
        """Nothing to release: the garbage collector frees the weights."""


def model_spec(checkpoint: Checkpoint, frame: FrameSpec) -> ModelSpec:
    """What a tracker must know of a float network."""
    config = checkpoint.network.config
    box_head = checkpoint.network.flat_box_head
    return ModelSpec(
        name=str(checkpoint.origin.get("name", config.name)),
        sha256=checkpoint.sha256,
        precision="fp32",
        frame=frame,
        mask_history=config.mask_history,
        scaled_softmax=config.scaled_softmax,
        update=config.update,
        long_term=config.long_term,
        template_channels=config.template_channels,
        box_head=None if box_head is None else box_head.numpy(),
    )


def _tensor(array: Array) -> Tensor:
    """A view of a channel-last array (h, w, c) as (1, c, h, w) in channels-last memory."""
    return torch.from_numpy(array).permute(2, 0, 1)[None]


def rounded_up(size: tuple[int, int]) -> tuple[int, int]:
    """The next height and width that a graph can have, in pixels."""
    height, width = (-(-side // SIDE_MULTIPLE) * SIDE_MULTIPLE for side in size)
    return height, width
