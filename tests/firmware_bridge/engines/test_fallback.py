"""Which engine runs a bundle whose own is not installed."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

import pytest

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge import engines
from edge_ttvos.firmware_bridge.engines import load_opener, runner_of
from edge_ttvos.firmware_bridge.notices import tell


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Engines that are said to be installed."""
    names: set[str] = set()

    def load(name: str) -> Any:
        if name not in names:
            raise EngineError(f"no {name}")

    monkeypatch.setattr(engines, "load_opener", load)
    tell.cache_clear()
    return names


def test_an_installed_engine_runs_its_own_bundles(
    installed: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    installed |= {"tensorrt", "onnxruntime", "litert"}
    assert [runner_of(name) for name in ("tensorrt", "litert")] == ["tensorrt", "litert"]
    assert caplog.messages == []


def test_another_stands_in_and_it_is_told(
    installed: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    installed |= {"onnxruntime"}
    with caplog.at_level(logging.WARNING):
        assert runner_of("tensorrt") == "onnxruntime"
        assert runner_of("tensorrt") == "onnxruntime"
    assert caplog.messages == ["engine tensorrt is not installed: onnxruntime stands in for it"]


def test_where_nothing_can_the_engine_itself_says_what_to_type(installed: set[str]) -> None:
    assert runner_of("tensorrt") == "tensorrt"
    assert runner_of("litert") == "litert"


def test_tensorrt_comes_with_jetpack_not_from_pip() -> None:
    if find_spec("tensorrt"):
        pytest.skip("it is installed")
    with pytest.raises(EngineError, match="type: sudo apt install python3-libnvinfer"):
        load_opener("tensorrt")
