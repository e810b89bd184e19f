"""``deploy --to`` without a network: what it answers. The wire is tested with the library."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.protocol import KEYS
from edge_ttvos.targets.remote import ask, send
from edge_ttvos.targets.remote.send import Standing
from edge_ttvos.weights import BUNDLES

ANSWER = {
    "to": "pi@board",
    "live": "0002",
    "previous": "0001",
    "seconds": {"copy": 1.0},
    "bench": {"fps": {"end_to_end": 3.0}, "throttled": None},
    "doctor": {"can_track": True, "checks": []},
}


def test_a_rollback_answers_with_a_protocol(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "roll_back", lambda address: Standing("0001", "0002"))

    done = call("deploy", "--to", "pi@board", "--rollback", "--json", "-")

    record = done.json
    assert (record["complete"], record["live"], record["previous"]) == (True, "0001", "0002")
    assert set(KEYS) <= set(record["protocol"])


@pytest.fixture
def board_that_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ask", "require", "untried"):
        monkeypatch.setattr(ask, name, lambda *arguments: None)
    delivery = SimpleNamespace(to_json=lambda address, board: ANSWER)
    monkeypatch.setattr(send, "send", lambda *arguments: delivery)


@pytest.mark.usefixtures("board_that_takes_all")
def test_a_bundle_that_is_sent_names_its_model(call: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "sent.ettvos"
    shutil.copy(BUNDLES["release-int8"], bundle)
    with open_bundle(bundle) as opened:
        manifest = opened.manifest

    done = call("deploy", "--model", bundle, "--to", "pi@board", "--json", "-")

    assert done.code == 0, done.err
    assert (done.json["complete"], done.json["remote"]) == (True, ANSWER)
    protocol = done.json["protocol"]
    assert (protocol["target"], protocol["engine"]) == (manifest.target, manifest.engine)
    assert (protocol["precision"], protocol["sha256"]) == ("w8a8sfloat", manifest.model.sha256)
    assert (tmp_path / "sent.board.json").is_file()


@pytest.mark.usefixtures("board_that_takes_all")
def test_a_shipped_bundle_is_sent_by_name_and_its_report_is_the_users(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = call("deploy", "--model", "release-int8", "--to", "pi@board", "--json", "-")

    assert done.code == 0, done.err
    assert done.json["bundle"] == str(BUNDLES["release-int8"])
    assert [path.name for path in tmp_path.iterdir()] == ["release-int8.board.json"]
