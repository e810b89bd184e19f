"""Results out: every field, to a file, a datagram and stdout."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.errors import OutputError
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.outcome import Outcome
from edge_ttvos.firmware_bridge.live.results import Results, line, record
from edge_ttvos.firmware_bridge.prompts import Box


@pytest.fixture
def outcome(live: Live, push: Callable[..., None]) -> Outcome:
    """Of the second picture: one object in sight."""
    live.first = {2: Box(16, 8, 24, 16)}
    push()
    live.turn()
    push()
    live.turn()
    assert live.session.last is not None
    return live.session.last


def test_every_field(outcome: Outcome) -> None:
    line = record(outcome)

    assert line.pop("latency_ms") == pytest.approx(outcome.latency_ms, abs=1e-3)
    (thing,) = line.pop("objects")
    assert 0.99 < thing.pop("score") <= 1
    assert thing == {
        "id": 2,
        "name": "object 2",
        "state": "tracking",
        "box": [16, 8, 24, 16],
        "centroid": [27.5, 15.5],
        "area": 384,
    }
    assert line == {
        "schema": 1,
        "frame": 1,
        "captured_ns": 1_000_000,
        "late": False,
        "size": [48, 80],
    }


def test_a_lost_object_has_no_place(live: Live, push: Callable[..., None]) -> None:
    live.first = {1: Box(16, 8, 24, 16)}
    push()
    live.turn()
    live.session._tracker.memory.occupied[0].masks[...] = 0  # what it looked like is forgotten
    push()
    live.turn()
    assert live.session.last is not None

    (thing,) = record(live.session.last)["objects"]

    assert thing["state"] == "lost"
    assert (thing["box"], thing["centroid"], thing["area"], thing["score"]) == (None, None, 0, 0)


def test_a_file_is_appended_to(outcome: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    for _ in range(2):
        results = Results(str(path))
        results.write(line(outcome))
        results.close()

    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [1, 1]


def test_a_line_is_a_datagram(outcome: Outcome) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        results = Results(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        results.write(line(outcome))

        assert json.loads(receiver.recv(65536)) == record(outcome)
        results.close()


def test_nobody_listens(outcome: Outcome) -> None:
    results = Results("udp://127.0.0.1:9")

    for _ in range(20):
        results.write(line(outcome))

    results.close()


def test_stdout_is_not_buffered() -> None:
    code = (
        "import os\n"
        "from edge_ttvos.firmware_bridge.live.results import Results\n"
        "send = Results('-')._send\n"
        "send(b'one\\n')\n"
        "os._exit(0)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert done.stdout == b"one\n"


@pytest.mark.parametrize("place", ["udp://127.0.0.1", "udp://:5000", "udp://127.0.0.1:99999"])
def test_a_place_that_is_none(place: str) -> None:
    with pytest.raises(OutputError, match=r"udp://HOST:PORT"):
        Results(place)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write results"):
        Results(str(tmp_path))
