"""What firmware_bridge/engines/base.py promises, for every engine that is installed.

A new engine is tested as soon as its entry point is there.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_ttvos.contracts import BORDER, MEAN
from edge_ttvos.errors import EngineError, ModelError
from edge_ttvos.firmware_bridge.engines import CHECKPOINTS, known_engines, load_opener
from edge_ttvos.firmware_bridge.engines.base import Decoded, Embedding, EngineOptions, Features
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import load_checkpoint

CONFIGURATIONS = ["paper", "release", "frozen", "no-short-term", "no-long-term"]
EXPORTED = ["release", "no-long-term"]  # of those, as bundles: each export takes a while
MODELS = [
    (engine, name)
    for engine in known_engines()
    for name in (CONFIGURATIONS if engine == CHECKPOINTS else EXPORTED)
]
CLOSE = 1e-4  # of probabilities, after a rollout of a float32 model

Open = Callable[..., Any]


class Buffers:
    """One set of a model's arrays, full of NaN, so that what an engine leaves unwritten shows."""

    def __init__(self, engine: Any) -> None:
        frame, k = engine.model.frame, engine.model.mask_history
        h8, w8 = frame.at(8)

        def blank(*shape: int) -> np.ndarray:
            return np.full(shape, np.nan, np.float32)

        def features() -> Features:
            return Features(blank(*frame.at(4), 16), blank(h8, w8, 32), blank(*frame.at(16), 192))

        self.before, self.now = features(), features()
        self.embedding = Embedding(*(blank(h8, w8, 32) for _ in range(4)))
        self.decoded = Decoded(blank(frame.height, frame.width), blank(1))
        self.masks, self.attention = blank(h8, w8, 2 * k), blank(h8, w8, 32)

    def run(self, engine: Any, clip: Any) -> dict[str, np.ndarray]:
        """All three graphs on two frames of a clip; copies of all results by name."""
        rng = np.random.default_rng(4)
        self.masks[...] = rng.random(self.masks.shape)
        self.attention[...] = rng.normal(size=self.attention.shape)
        engine.encode(bordered(clip.frames[0]), self.before)
        engine.encode(bordered(clip.frames[1]), self.now)
        engine.embed(self.before.s8, self.masks, self.now.s8, self.embedding)
        self.decode(engine)
        parts = {"now": self.now, "embedding": self.embedding, "decoded": self.decoded}
        return {
            f"{part}.{name}": array.copy()
            for part, record in parts.items()
            for name, array in vars(record).items()
        }

    def decode(self, engine: Any) -> None:
        engine.decode(
            self.now, self.embedding.s8, self.attention, self.before.s16, self.masks, self.decoded
        )


def bordered(frame: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) as the graph's input: mean colour above and left of it."""
    canvas = np.empty((frame.shape[0] + BORDER, frame.shape[1] + BORDER, 3), np.uint8)
    canvas[...] = MEAN
    canvas[BORDER:, BORDER:] = frame
    return canvas


@pytest.fixture(params=known_engines())
def engine_name(request: pytest.FixtureRequest) -> str:
    return installed(request.param)


@pytest.fixture(params=MODELS, ids="-".join)
def engine_and_name(request: pytest.FixtureRequest) -> tuple[str, str]:
    engine, name = request.param
    return installed(engine), name


def installed(engine: str) -> str:
    """The engine's name; skips where its library is missing."""
    try:
        load_opener(engine)
    except EngineError as error:
        pytest.skip(str(error))
    return engine


@pytest.fixture
def model_file(
    checkpoint: Callable[[str], Path], deployed: Callable[[str, Path], Path]
) -> Callable[[str, str], Path]:
    """What an engine opens of a configuration: its checkpoint, or the bundle made of it."""

    def find(engine: str, name: str) -> Path:
        file = checkpoint(name)
        return file if engine == CHECKPOINTS else deployed(engine, file)

    return find


@pytest.fixture
def open_model(model_file: Callable[[str, str], Path]) -> Iterator[Open]:
    """Open a configuration in an engine; closed after the test."""
    opened = []

    def make(engine: str, name: str = "release", options: EngineOptions | None = None) -> Any:
        opener = load_opener(engine)
        opened.append(opener(str(model_file(engine, name)), options or EngineOptions(threads=1)))
        return opened[-1]

    yield make
    for engine in opened:
        engine.close()


def test_torch_is_among_the_engines_tested() -> None:
    assert "torch" in known_engines()
    load_opener("torch")


def test_an_engine_tells_what_it_is(engine_name: str, open_model: Open) -> None:
    info = open_model(engine_name).info
    assert info.name == engine_name
    assert info.version
    assert info.device
    assert info.threads >= 1


def test_the_model_is_described_as_its_checkpoint_says(
    engine_and_name: tuple[str, str], open_model: Open, checkpoint: Callable[[str], Path]
) -> None:
    _, name = engine_and_name
    model, origin = open_model(*engine_and_name).model, load_checkpoint(checkpoint(name))
    config = origin.network.config
    assert (model.frame.height, model.frame.width) == origin.size
    assert (model.name, model.sha256) == (name, origin.sha256)
    assert (model.mask_history, model.update) == (config.mask_history, config.update)
    assert (model.scaled_softmax, model.long_term) == (config.scaled_softmax, config.long_term)


def test_everything_promised_is_written_and_nothing_else(
    engine_and_name: tuple[str, str], open_model: Open, make_clip: Any
) -> None:
    engine = open_model(*engine_and_name)
    model = engine.model
    results = Buffers(engine).run(engine, make_clip())
    unwritten = set()
    if not model.long_term:
        unwritten |= {"embedding.f", "embedding.g", "embedding.q"}
    if model.update != "weighted" or not model.long_term:
        unwritten.add("decoded.update_weight")
    for key, array in results.items():
        if key in unwritten:
            assert np.all(np.isnan(array)), f"{key} was written"
        else:
            assert np.all(np.isfinite(array)), f"{key} is not whole"
            assert array.size == 1 or array.std() > 1e-3, f"{key} hardly varies"
    if "decoded.update_weight" not in unwritten:
        assert 0 < results["decoded.update_weight"][0] < 1


def test_results_are_the_same_each_time_and_in_each_instance(
    engine_and_name: tuple[str, str], open_model: Open, make_clip: Any
) -> None:
    clip, other = make_clip(), make_clip(objects=3)
    one, two = open_model(*engine_and_name), open_model(*engine_and_name)
    buffers = Buffers(one)
    first = buffers.run(one, clip)
    differing = Buffers(one).run(one, other)
    again = buffers.run(one, clip)
    elsewhere = Buffers(two).run(two, clip)
    assert np.any(first["now.s8"] != differing["now.s8"])
    assert np.any(first["decoded.log_odds"] != differing["decoded.log_odds"])
    for key, array in first.items():
        np.testing.assert_array_equal(again[key], array, err_msg=key)
        np.testing.assert_array_equal(elsewhere[key], array, err_msg=key)


def test_inputs_are_left_as_they_are(engine_name: str, open_model: Open, make_clip: Any) -> None:
    engine, clip = open_model(engine_name), make_clip()
    buffers = Buffers(engine)
    buffers.run(engine, clip)
    frame = bordered(clip.frames[1])
    given = frame.copy()
    inputs = [buffers.before.s8, buffers.before.s16, *vars(buffers.now).values()]
    inputs += [buffers.masks, buffers.attention, buffers.embedding.s8]
    before = [array.copy() for array in inputs]
    engine.encode(frame, Buffers(engine).now)
    engine.embed(buffers.before.s8, buffers.masks, buffers.now.s8, Buffers(engine).embedding)
    buffers.decode(engine)
    np.testing.assert_array_equal(frame, given)
    for kept, array in zip(before, inputs, strict=True):
        np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize("stage", ["masks", "attention", "previous_s16", "s8", "s4"])
def test_every_input_of_decode_counts(
    stage: str, engine_name: str, open_model: Open, make_clip: Any
) -> None:
    engine = open_model(engine_name)
    buffers = Buffers(engine)
    before = buffers.run(engine, make_clip())["decoded.log_odds"]
    changed = {
        "masks": buffers.masks,
        "attention": buffers.attention,
        "previous_s16": buffers.before.s16,
        "s8": buffers.embedding.s8,
        "s4": buffers.now.s4,
    }[stage]
    changed[...] = changed[::-1].copy()
    buffers.decode(engine)
    assert np.abs(buffers.decoded.log_odds - before).max() > 1e-3


def test_a_size_is_rounded_up_to_multiples_of_16(
    engine_name: str, open_model: Open, make_clip: Any
) -> None:
    engine = open_model(engine_name, options=EngineOptions(size=(40, 70)))
    assert (engine.model.frame.height, engine.model.frame.width) == (48, 80)
    results = Buffers(engine).run(engine, make_clip(48, 80))
    assert all(np.all(np.isfinite(array)) for array in results.values())


def test_a_bundle_has_the_sizes_that_it_was_made_with(engine_name: str, open_model: Open) -> None:
    if engine_name == CHECKPOINTS:
        assert open_model(engine_name, options=EngineOptions(size=(64, 96))).model.frame.width == 96
        return
    with pytest.raises(EngineError, match=r"no graph of 64x96, only of 48x80"):
        open_model(engine_name, options=EngineOptions(size=(64, 96)))


def test_a_rollout_equals_the_networks_own(
    engine_and_name: tuple[str, str],
    open_model: Open,
    checkpoint: Callable[[str], Path],
    make_clip: Any,
) -> None:
    name = engine_and_name[1]
    engine, clip = open_model(*engine_and_name), make_clip(count=7)
    if engine.model.precision != "fp32":
        pytest.skip(f"{engine.model.precision} is compared by its own test")
    tracker = Tracker(engine, max_objects=1)
    tracker.start(clip.frames[0], clip.labels[0])
    expected = rollout(load_checkpoint(checkpoint(name)).network, clip)
    assert expected.std() > 0.15
    for frame, probability in zip(clip.frames[1:], expected, strict=True):
        found = tracker.step(frame).probabilities[1]
        np.testing.assert_allclose(found, probability, atol=CLOSE)


@torch.inference_mode()
def rollout(network: Any, clip: Any) -> np.ndarray:
    """Probabilities (frames after the first, H, W) by TTVOS.step."""
    frames = torch.from_numpy(np.stack(clip.frames)).permute(0, 3, 1, 2).float()
    features = [network.encode(frame[None]) for frame in frames]
    state = network.start(features[0], torch.from_numpy(clip.labels[0] == 1).float()[None])
    probabilities = []
    for current in features[1:]:
        output, state = network.step(current, state)
        probabilities.append(output.logits.softmax(dim=1)[0, 1].numpy())
    return np.stack(probabilities)


def test_what_is_no_model_is_refused(engine_name: str, tmp_path: Path) -> None:
    opener = load_opener(engine_name)
    (tmp_path / "noise.safetensors").write_bytes(b"no model at all")
    for model in (tmp_path / "noise.safetensors", tmp_path / "none", tmp_path):
        with pytest.raises(ModelError):
            opener(str(model), EngineOptions())


@pytest.mark.slow
def test_no_array_is_kept_from_frame_100_to_frame_200(
    engine_name: str, open_model: Open, make_clip: Any
) -> None:
    clip, tracker = make_clip(count=12), Tracker(open_model(engine_name), max_objects=1)
    tracker.start(clip.frames[0], clip.labels[0])
    held = {}
    try:
        for index in range(1, 201):
            if index == 90:  # tracing is slow; ten frames are time enough to settle
                tracemalloc.start()
            tracker.step(clip.frames[index % 12])
            if index in (100, 200):
                domain = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
                traces = tracemalloc.take_snapshot().filter_traces([domain]).traces
                held[index] = sum(trace.size for trace in traces)
    finally:
        tracemalloc.stop()
    assert held[200] <= held[100]
