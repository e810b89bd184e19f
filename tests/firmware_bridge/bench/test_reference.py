from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.bench.reference import Reference, find_reference, read_reference


def evaluation(**scores: float | None) -> dict[str, Any]:
    return {
        "J&F": 70.0,
        "sequences": {name: {"J&F": score, "J": score} for name, score in scores.items()},
        "protocol": {"dataset": "davis2016", "model": "release", "sha256": "ab"},
    }


def test_the_loss_is_over_the_same_sequences_only(tmp_path: Path) -> None:
    (tmp_path / "eval.json").write_text(json.dumps(evaluation(a=81.0, b=62.0, other=10.0)))
    reference = read_reference(tmp_path / "eval.json")

    record = reference.add_to(evaluation(a=80.0, b=60.0, new=99.0))

    assert record["J&F_float"] == pytest.approx(71.5)
    assert record["J&F_loss"] == pytest.approx(1.5)
    assert record["J&F"] == 70.0
    losses = {name: figures["J&F_loss"] for name, figures in record["sequences"].items()}
    assert losses == {"a": 1.0, "b": 2.0, "new": None}
    assert record["sequences"]["a"]["J"] == 80.0
    assert record["float"]["missing"] == ["new"]
    assert (record["float"]["source"], record["float"]["sha256"]) == ("eval.json", "ab")


def test_without_any_reference_the_loss_is_null() -> None:
    record = Reference().add_to(evaluation(a=80.0, b=None))

    assert (record["J&F_float"], record["J&F_loss"]) == (None, None)
    assert record["float"]["missing"] == ["a", "b"]


def test_a_checkpoint_has_no_figures_of_its_own() -> None:
    assert find_reference(None, "default") == Reference()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"protocol": {}, "sequences": {"a": {}}}',
        b'{"protocol": {"dataset": "davis2016"}, "sequences": {"a": {"J&F": NaN}}}',
        b'{"protocol": {"dataset": "davis2016"}, "sequences": {"a": {"J&F": true}}}',
        b'{"protocol": {"dataset": "davis2016"}, "sequences": {"a": {"J&F": 101}}}',
        b'{"protocol": {"dataset": "davis2017"}, "sequences": {}}',
    ],
)
def test_what_is_no_evaluation_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "eval.json").write_bytes(content)

    with pytest.raises(InputError, match=r"--reference .*edge-ttvos eval --dataset davis2016"):
        read_reference(tmp_path / "eval.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_reference(tmp_path / "absent.json")
