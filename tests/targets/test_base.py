from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.errors import InputError
from edge_ttvos.targets import boards
from edge_ttvos.targets.base import find_target, known_targets

NEW = """
from dataclasses import replace
from edge_ttvos.targets.boards.host import TARGET as HOST
TARGET = replace(HOST, name="aaa-board")
"""


@pytest.fixture
def new_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A further board's file, beside those of the package; its target's name."""
    (tmp_path / "a_board_of_a_test.py").write_text(NEW)
    monkeypatch.setattr(boards, "__path__", [*boards.__path__, str(tmp_path)])
    return "aaa-board"


def test_a_new_target_is_one_new_file(new_board: str) -> None:
    assert next(iter(known_targets())) == new_board
    assert find_target(new_board).name == new_board


def test_what_several_boards_share_is_no_target() -> None:
    assert set(known_targets()).isdisjoint({"cpu", "base"})


def test_an_unknown_target_is_refused_by_naming_the_known() -> None:
    with pytest.raises(InputError, match=r"'toaster'; known: .*host.*raspberry-pi"):
        find_target("toaster")


def test_only_onnx_runtime_keeps_transposed_convolutions() -> None:
    for name in ("host", "raspberry-pi"):
        forms = find_target(name).forms
        assert {e: form.transposed for e, form in forms.items()} == {
            "litert": False,
            "openvino": False,
            "onnxruntime": True,
        }


def test_accelerators_get_graphs_that_they_know() -> None:
    coral, jetson = (find_target(name).forms for name in ("coral", "jetson"))
    assert coral["litert"].plain
    assert coral["litert"].coordinates == "input"
    assert jetson["tensorrt"].early_cast


def test_only_the_host_looks_for_the_fastest_engine() -> None:
    assert find_target("host").measured
    assert not find_target("raspberry-pi").measured
    assert find_target("raspberry-pi").engines[0] == "litert"
