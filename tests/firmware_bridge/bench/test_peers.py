"""Who runs beside the bundle, and why not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_ttvos.contracts import Quantization, TensorCodes
from edge_ttvos.errors import EngineError
from edge_ttvos.evaluation.datasets import open_dataset
from edge_ttvos.firmware_bridge.bench import peers
from edge_ttvos.firmware_bridge.bench.comparison import Comparison
from edge_ttvos.firmware_bridge.bench.nanotrack import NanoTrack
from edge_ttvos.firmware_bridge.engines.base import EngineInfo
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.weights import find_checkpoint


def test_each_that_cannot_run_says_why(config: Any, open_still: Any) -> None:
    opened, left_out = peers.open_peers(open_still(1), config)

    assert opened == []
    assert "still does not compute in bfloat16" in left_out["bfloat16"]
    assert "another checkpoint" in left_out["pytorch-eager"]
    assert "nanotrack_backbone_sim.onnx" in left_out["nanotrack-v2"]


def test_pytorch_is_no_peer_of_itself(config: Any, open_tracker: Any) -> None:
    with pytest.raises(EngineError, match="it is what is measured"):
        peers.open_eager(open_tracker(), config)


def test_pytorch_runs_at_the_same_size_and_threads(config: Any, open_still: Any) -> None:
    engine = open_still(1).engine
    shipped = hashlib.sha256(find_checkpoint("default").read_bytes()).hexdigest()
    engine.model = replace(engine.model, sha256=shipped)
    engine.info = EngineInfo("still", "0", "none", 1)

    eager = peers.open_eager(Tracker(engine, 1), config)
    eager.start(np.full((48, 80, 3), 90, np.uint8), np.eye(48, 80) > 0)
    outcome = eager.step(np.full((48, 80, 3), 90, np.uint8))

    assert (eager.facts["engine"], eager.facts["resolution"]) == ("torch", "48x80")
    assert eager.facts["threads"] == 1
    assert outcome.mask is not None
    assert outcome.mask.shape == (48, 80)
    eager.close()


def test_beside_int8_pytorch_runs_what_the_float_bundle_was_made_from(
    config: Any, open_still: Any
) -> None:
    engine = open_still(1).engine
    codes = (TensorCodes("s4", Quantization(0.1, 0)),)
    engine.model = replace(engine.model, codes=codes)

    with pytest.raises(EngineError, match="--float names the float32 one"):
        peers.open_eager(Tracker(engine, 1), config)


def test_those_that_are_open_are_closed_if_a_later_one_is_interrupted(
    config: Any, open_still: Any, make_knowing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_knowing([], 1.0)

    def interrupted(ours: Any, config: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(peers, "PEERS", {"first": lambda *_: first, "second": interrupted})
    with pytest.raises(KeyboardInterrupt):
        peers.open_peers(open_still(1), config)
    assert first.closed


def test_an_opencv_without_nanotrack_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cv2, "TrackerNano")
    with pytest.raises(EngineError, match=r"pip install 'opencv-python-headless>=4.7'"):
        NanoTrack(tmp_path, 1)


def test_a_damaged_network_is_a_typed_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("nanotrack_backbone_sim.onnx", "nanotrack_head_sim.onnx"):
        (tmp_path / name).write_bytes(b"no network")
    peer = NanoTrack(tmp_path, 1)
    with pytest.raises(EngineError, match="OpenCV cannot run NanoTrack"):
        peer.start(np.zeros((48, 80, 3), np.uint8), np.eye(48, 80) > 0)


@pytest.mark.slow
def test_nanotrack_follows_a_real_object(data_root: Path, capfd: Any) -> None:
    dataset = open_dataset("davis2016", data_root / "davis2016", ["car-shadow"])
    sequence = dataset.load("car-shadow")
    first = [path.stem for path in sequence.frames[:6]]
    short = replace(sequence, frames=sequence.frames[:6], scored={1: tuple(first[1:5])})
    threads = cv2.getNumThreads()
    comparison = Comparison([NanoTrack(data_root / "peers", 1)])

    comparison.run(short)

    record = comparison.to_json()["nanotrack-v2"]
    assert record["box_iou"] > 80
    assert (record["J&F"], record["fps"]["model"]) == (None, None)
    assert cv2.getNumThreads() == threads
    assert capfd.readouterr() == ("", "")
