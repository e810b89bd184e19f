from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edge_ttvos.errors import EngineError, OutputError
from edge_ttvos.training.journal import CURVES, LOG, Journal


def test_lines_are_added(tmp_path: Path) -> None:
    for step in (20, 40):
        journal = Journal(tmp_path)
        journal.write(step, "long", {"total": 0.1234567, "accuracy": 0.5})
        journal.close()
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines == [
        {"step": step, "stage": "long", "total": 0.12346, "accuracy": 0.5} for step in (20, 40)
    ]
    assert not (tmp_path / CURVES).exists()


def test_curves_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    journal = Journal(tmp_path, curves=True)
    for step in (20, 40):
        journal.write(step, "long", {"total": step / 100})
    journal.close()
    read = EventAccumulator(str(tmp_path / CURVES))
    read.Reload()
    curve = [(event.step, event.value) for event in read.Scalars("total")]
    assert curve == [(20, pytest.approx(0.2)), (40, pytest.approx(0.4))]


def test_curves_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(EngineError, match=r"pip install 'edge-ttvos\[host,train\]'"):
        Journal(tmp_path, curves=True)
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / LOG).mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl"):
        Journal(tmp_path).write(20, "long", {})
