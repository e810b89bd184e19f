"""What a board is asked before anything is copied, and which boards are refused."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.remote.address import parse_address
from edge_ttvos.targets.remote.ask import Board, ask, require, untried


def test_the_board_is_asked_and_nothing_is_written_there(serve: Any) -> None:
    server = serve()
    board = ask(server.address)
    assert board.machine == os.uname().machine
    assert board.python >= (3, 6)
    assert abs(board.skew_s) < 60
    assert board.place == str(server.home)
    assert list(server.home.iterdir()) == []


FACTS = {
    "python": [3, 11, 2],
    "bits": 64,
    "machine": "aarch64",
    "libc": [2, 36],
    "venv": True,
    "free_bytes": 10**10,
    "writable": True,
    "place": "/home/pi",
    "time": None,
    "model": "Raspberry Pi 5",
    "system": "Debian",
}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"python": [3, 9, 2]}, r"Python 3\.10 or newer is needed; it has 3\.9\.2"),
        ({"machine": "x86_64"}, "raspberry-pi is for aarch64; this board is x86_64"),
        ({"bits": 32}, "64-bit system; its Python has 32 bits"),
        ({"libc": None}, "GNU C library"),
        ({"venv": False}, "type there: sudo apt install -y python3-venv"),
        ({"writable": False}, "/home/pi cannot be written"),
        ({"time": 86400.0}, "its clock is .* hours off.*timedatectl set-ntp true"),
    ],
)
def test_a_board_that_does_not_fit_is_refused(
    facts: dict[str, Any], message: str, serve: Any, stand_in: Any, tmp_path: Path
) -> None:
    """``python3`` there is a stand-in that answers as another board's would."""
    answer = tmp_path / "answer"
    programs = {"python3": f"cat {answer}"}
    server = serve({"PATH": stand_in(programs)})
    answer.write_text(json.dumps({**FACTS, "time": time.time(), **facts}) + "\n")
    board = ask(server.address)
    with pytest.raises(RemoteError, match=message) as caught:
        require(board, find_target("raspberry-pi"), server.address)
    assert str(caught.value).endswith("nothing was copied")
    assert len(str(caught.value).splitlines()) == 1


def test_a_python_that_nobody_reckoned_with_is_no_hindrance_and_is_said() -> None:
    facts = {**FACTS, "python": (3, 12, 3), "libc": (2, 39), "skew_s": 0.0}
    board = Board(**{name: fact for name, fact in facts.items() if name != "time"})
    target = find_target("raspberry-pi")
    require(board, target, parse_address("pi@host"))
    assert untried(board, target).endswith("Python 3.11, 3.13; this board has 3.12")
    assert untried(replace(board, python=(3, 13, 5)), target) == ""
    assert str(board) == "Raspberry Pi 5, Debian, Python 3.12.3"


def test_a_board_without_python_is_told_what_to_type(serve: Any, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    server = serve({"PATH": str(nothing)})
    with pytest.raises(RemoteError, match=r"no python3 on .*sudo apt install -y python3-venv"):
        ask(server.address)
