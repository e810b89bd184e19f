"""Small networks of random weights that heed all that they are given, and clips to run them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from edge_ttvos.contracts import FrameSpec, ModelSpec
from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.firmware_bridge.engines.base import EngineInfo
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import save_checkpoint
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.ttvos import TTVOS

GRAPH = (48, 80)  # height and width in pixels
RELEASE = PRESETS["release"]
CONFIGS = {
    "paper": PRESETS["paper"],
    "release": RELEASE,
    "frozen": RELEASE.without("update"),
    "no-short-term": RELEASE.without("short_term"),
    "no-long-term": RELEASE.without("long_term"),
    "box-head": replace(RELEASE, name="box-head", box_head=True),
}

MASKS_COUNT = 4  # times what their channels would count among the features

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    """Frames (H, W, 3) RGB uint8 and the object ids (H, W) uint8 of each."""

    frames: list[Image]
    labels: list[Image]


MakeClip = Callable[..., Clip]
OpenTracker = Callable[..., Tracker]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """One torch thread: sums in one order, and no quarrel over a busy machine's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_clip() -> MakeClip:
    """Make a clip of patterned blocks that move over a smooth background: ids 1, 2, …"""

    def make(
        height: int = GRAPH[0], width: int = GRAPH[1], count: int = 8, objects: int = 1
    ) -> Clip:
        rng = np.random.default_rng(7)
        background = _texture(rng, (7, 9), (height, width))
        side = (max(1, height // 3), max(1, width // 5))
        patterns = [_texture(rng, (3, 3), side) for _ in range(objects)]
        clip = Clip([], [])
        for t in range(count):
            frame, labels = background.copy(), np.zeros((height, width), np.uint8)
            for i, pattern in enumerate(patterns):
                top = (height // 8 + (i + 1) * t + i * height // 6) % (height - side[0] + 1)
                left = (width // 10 + 2 * t + i * width // 4) % (width - side[1] + 1)
                where = np.s_[top : top + side[0], left : left + side[1]]
                frame[where], labels[where] = pattern, i + 1
            clip.frames.append(frame)
            clip.labels.append(labels)
        return clip

    return make


def _texture(rng: np.random.Generator, grain: tuple[int, int], size: tuple[int, int]) -> Image:
    coarse = rng.integers(0, 256, (*grain, 3)).astype(np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR)


@pytest.fixture(scope="session")
def checkpoint(
    tmp_path_factory: pytest.TempPathFactory, make_clip: MakeClip
) -> Callable[[str], Path]:
    """The checkpoint file of a configuration: a key of ``CONFIGS``."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def make(name: str) -> Path:
        path = folder / f"{name}.safetensors"
        if not path.exists():
            network = random_network(CONFIGS[name], make_clip())
            save_checkpoint(path, network, GRAPH, {"name": name})
        return path

    return make


@pytest.fixture
def open_tracker(checkpoint: Callable[[str], Path]) -> OpenTracker:
    """Open a tracker on a configuration's checkpoint with the torch engine."""

    def make(name: str = "release", max_objects: int = 4) -> Tracker:
        return Tracker(open_engine(str(checkpoint(name)), "torch"), max_objects)

    return make


@pytest.fixture
def open_still() -> OpenTracker:
    """Open a tracker on simulators that keep every mask where it is, one for each size."""
    return lambda max_objects=4, sizes=(GRAPH,): Tracker(
        [StillEngine(FrameSpec(*size)) for size in sizes], max_objects
    )


class StillEngine:
    """A simulator: the object stays where the last mask saw it, in whole blocks of 8×8.

    A block that the mask covers by a third is the object's: a box of whole blocks is all found.
    """

    info = EngineInfo("still", "0", "none", 1)

    def __init__(self, frame: FrameSpec) -> None:
        self.model = ModelSpec("still", "0", "fp32", frame, 1, False, "frozen", long_term=False)
        self.closed = False

    def encode(self, frame: Any, features: Any) -> None: ...

    def embed(self, previous_s8: Any, masks: Any, s8: Any, embedding: Any) -> None: ...

    def decode(self, features: Any, s8: Any, a: Any, s16: Any, masks: Any, decoded: Any) -> None:
        sight = masks[..., 1] - masks[..., 0] + 1 / 3
        decoded.log_odds[...] = 20 * sight.repeat(8, axis=0).repeat(8, axis=1)

    def close(self) -> None:
        self.closed = True


def random_network(config: NetworkConfig, clip: Clip) -> TTVOS:
    """A network in eval mode whose probabilities vary and depend on mask, template and feature.

    Random weights alone give features that fade from layer to layer, and probabilities of 0.5
    whatever the state: a wrong state would pass unseen. So the normalisation takes its statistics
    from a clip, and the embedding and the logits are scaled to be decisive.
    """
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(5)
        network = TTVOS(config)
        for module in network.modules():
            _vary(module)
        _roll(network.train(), clip)
        network.eval()
        _sharpen(network, clip)
        _check_lively(network, clip)
    return network


def _vary(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.6, 1.4)
        nn.init.normal_(module.bias, std=0.2)
        module.momentum = None  # the mean of all that is seen
    elif isinstance(module, nn.Conv2d) and module.in_channels > 32:
        features = module.in_channels // 32 * 32  # masks and coordinates are what is over
        module.weight[:, features:] *= MASKS_COUNT


def _sharpen(network: TTVOS, clip: Clip) -> None:
    if network.config.long_term:
        first, second = (network.encode(_tensor(frame)) for frame in clip.frames[:2])
        masks = network.start(first, _foreground(clip)).masks
        _, maps = network.embed(first.s8, masks, second.s8)
        assert maps is not None
        product = maps.f.flatten(2) @ maps.g.flatten(2).transpose(1, 2)
        if network.config.scaled_softmax:
            product = product / maps.f[0, 0].numel() ** 0.5
        spread = product.std(dim=-1).mean()
        for branch in (network.embedding.f, network.embedding.g):
            branch[1].weight *= (2 / spread) ** 0.5
            branch[1].bias *= (2 / spread) ** 0.5
    logits = _roll(network, clip)
    difference = logits[:, 1] - logits[:, 0]
    network.decoder.up4.weight *= 1.5 / difference.std()
    network.decoder.up4.bias.zero_()


def _check_lively(network: TTVOS, clip: Clip) -> None:
    start = Clip(clip.frames[:3], clip.labels)
    seen = _roll(network, start).softmax(dim=1)[:, 1]
    other = _roll(network, replace(start, labels=clip.labels[::-1])).softmax(dim=1)[:, 1]
    assert seen.std() > 0.15, "probabilities hardly vary"
    assert (seen - other).abs().max() > 0.01, "the first mask does not matter"


def _roll(network: TTVOS, clip: Clip) -> torch.Tensor:
    """Logits of the last frame."""
    features = [network.encode(_tensor(frame)) for frame in clip.frames]
    state = network.start(features[0], _foreground(clip))
    for current in features[1:]:
        output, state = network.step(current, state)
    return output.logits


def _tensor(frame: Image) -> torch.Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1)[None].float()


def _foreground(clip: Clip) -> torch.Tensor:
    return torch.from_numpy(clip.labels[0] == 1).float()[None]
