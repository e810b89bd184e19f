from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.protocol import KEYS
from edge_ttvos.quantize.report.compare import compare, read_report


def report(**scores: list[float]) -> dict[str, Any]:
    """A record of points with J&F by sequence."""
    points = [
        {
            "id": f"axes/{name}",
            "J&F": sum(row) / len(row),
            "sequences": {f"s{i}": {"J&F": value} for i, value in enumerate(row)},
        }
        for name, row in scores.items()
    ]
    sets = {"axes": {"size": "48x80", "sequences": []}}
    return {"schema": 1, "protocol": {}, "model": {}, "sets": sets, "points": points}


def test_only_what_exceeds_the_spread_is_told() -> None:
    a = report(steady=[50.0, 60.0, 70.0], noisy=[50.0, 60.0, 70.0], gone=[1.0, 2.0])
    b = report(steady=[52.0, 62.1, 72.0], noisy=[58.0, 55.0, 70.0], new=[1.0, 2.0])
    result = compare(a, b)

    assert (result["schema"], result["complete"]) == (1, True)
    assert set(KEYS) <= set(result["protocol"])
    steady, noisy = result["points"]
    assert (steady["id"], steady["exceeds"]) == ("axes/steady", True)
    assert steady["difference"] == pytest.approx(2.033)
    assert steady["spread"] == pytest.approx(0.033)
    assert (noisy["difference"], noisy["exceeds"]) == (1.0, False)
    assert (result["only_a"], result["only_b"]) == (["axes/gone"], ["axes/new"])
    assert "1 of 2 differences" in result["words"]
    assert "B is better by 2.03" in result["words"]


def test_a_report_against_itself_differs_in_nothing() -> None:
    a = report(one=[50.0, 60.0], two=[1.0])
    result = compare(a, copy.deepcopy(a))

    assert not any(point["exceeds"] for point in result["points"])
    assert "cannot be told apart" in result["words"]


def test_one_sequence_has_no_spread_to_exceed() -> None:
    (point,) = compare(report(one=[50.0]), report(one=[60.0]))["points"]

    assert not point["exceeds"]


def test_sequences_of_one_alone_do_not_count() -> None:
    (point,) = compare(report(one=[50.0, 60.0, 70.0]), report(one=[51.0, 61.0]))["points"]

    assert point["difference"] == 1.0
    assert list(point["sequences"]) == ["s0", "s1"]


def test_what_cannot_be_compared() -> None:
    a, b = report(one=[50.0]), report(two=[50.0])
    with pytest.raises(InputError, match="no point in common"):
        compare(a, b)
    b = report(one=[50.0])
    b["sets"]["axes"]["size"] = "96x160"
    with pytest.raises(InputError, match="scored at 48x80 and at 96x160"):
        compare(a, b)


def test_folders_that_hold_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no readable report\.json"):
        read_report(tmp_path)
    file = tmp_path / "report.json"
    file.write_text("{")
    with pytest.raises(InputError, match=r"holds no readable report\.json"):
        read_report(tmp_path)
    file.write_text('{"schema": 2}')
    with pytest.raises(InputError, match="schema 1"):
        read_report(tmp_path)
    file.write_text('{"schema": 1, "complete": false}')
    with pytest.raises(InputError, match="lacks protocol, model"):
        read_report(tmp_path)
    file.write_text(json.dumps(report(one=[1.0])))
    assert read_report(tmp_path)["points"][0]["id"] == "axes/one"
