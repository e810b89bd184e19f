"""The fused graph follows an object just as the network does, in torch and in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_ttvos.contracts import BORDER, MEAN, FrameSpec
from edge_ttvos.network.checkpoint import load_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS, heatmap
from edge_ttvos.targets.export.fused import build_fused
from edge_ttvos.targets.export.onnx import serialized

FRAME = FrameSpec(48, 80)


def bordered(frame: np.ndarray) -> torch.Tensor:
    canvas = np.empty((1, *FRAME.input_shape), np.uint8)
    canvas[...] = MEAN
    canvas[0, BORDER:, BORDER:] = frame
    return torch.from_numpy(canvas)


@torch.inference_mode()
def follow(run: Callable[..., dict[str, torch.Tensor]], network: TTVOS, clip: Any) -> list[Any]:
    """Probabilities of the frames after the first; ``run`` is the fused graph."""
    first = torch.from_numpy(clip.frames[0]).permute(2, 0, 1)[None].float()
    features = network.encode(first)
    masks = network.start(features, torch.from_numpy(clip.labels[0] == 1).float()[None]).masks
    state = {
        "previous_s8": features.s8.permute(0, 2, 3, 1),
        "previous_s16": features.s16.permute(0, 2, 3, 1),
        "masks": masks.permute(0, 2, 3, 1),
        "template": torch.zeros(1, 32, 32),
        "step": torch.ones(1),
    }
    found = []
    for frame in clip.frames[1:]:
        got = run(frame=bordered(frame), **state)
        probability = got["log_odds"].sigmoid()
        found.append(probability[0].numpy())
        newest = heatmap(probability).permute(0, 2, 3, 1)
        weight = got["update_weight"]
        state = {
            "previous_s8": got["s8"],
            "previous_s16": got["s16"],
            "masks": torch.cat([newest, state["masks"][..., :-2]], dim=-1),
            "template": got["next_template"],
            "step": weight / (1 + weight),
        }
    return found


@torch.inference_mode()
def expected(network: TTVOS, clip: Any) -> list[np.ndarray]:
    frames = [torch.from_numpy(f).permute(2, 0, 1)[None].float() for f in clip.frames]
    given = torch.from_numpy(clip.labels[0] == 1).float()[None]
    state, found = network.start(network.encode(frames[0]), given), []
    for frame in frames[1:]:
        output, state = network.step(network.encode(frame), state)
        found.append(output.logits.softmax(dim=1)[0, 1].numpy())
    return found


@pytest.fixture
def network(checkpoint: Callable[[str], Path]) -> TTVOS:
    return load_checkpoint(checkpoint("release")).network


def test_it_follows_as_the_network_does(network: TTVOS, make_clip: Any) -> None:
    clip, graph = make_clip(count=6), build_fused(network, FRAME)

    def run(**inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict(zip(graph.outputs, graph.module(**inputs), strict=True))

    found, wanted = follow(run, network, clip), expected(network, clip)
    assert np.std(wanted) > 0.15
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.slow
def test_onnx_runtime_follows_as_the_network_does(network: TTVOS, make_clip: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    clip, graph = make_clip(count=6), build_fused(network, FRAME)
    session = onnxruntime.InferenceSession(serialized(graph), providers=["CPUExecutionProvider"])

    def run(**inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        arrays = {name: tensor.contiguous().numpy() for name, tensor in inputs.items()}
        results = session.run(list(graph.outputs), arrays)
        return dict(zip(graph.outputs, map(torch.from_numpy, results), strict=True))

    np.testing.assert_allclose(follow(run, network, clip), expected(network, clip), atol=1e-4)


def test_a_network_without_a_template_is_refused() -> None:
    network = TTVOS(PRESETS["release"].without("long_term")).eval()
    with pytest.raises(ValueError, match="no template to fuse"):
        build_fused(network, FRAME)
