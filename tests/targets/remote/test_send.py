"""Deploying over a real OpenSSH: toy bundles, whose installers take milliseconds."""

from __future__ import annotations

from typing import Any

from edge_ttvos.targets.remote.ask import ask
from edge_ttvos.targets.remote.send import roll_back, send


def test_first(serve: Any, toy: Any) -> None:
    server = serve()
    board = ask(server.address)
    print(board)
    done = send(server.address, toy("one"))
    print(done)
    assert server.runs == "one"
    done = send(server.address, toy("two"))
    assert server.runs == "two"
    print(roll_back(server.address))
    assert server.runs == "one"
