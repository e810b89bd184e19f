"""systemd is told what the protocol says, through a socket of either kind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.notify import Watchdog


@pytest.mark.parametrize("abstract", [False, True])
def test_what_systemd_hears(abstract: bool, tmp_path: Path) -> None:
    name = f"@{tmp_path}" if abstract else str(tmp_path / "notify")
    now = [100.0]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        systemd.settimeout(10)
        environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "8000000"}
        watchdog = Watchdog(environment, lambda: now[0])

        watchdog.ready()
        for _ in range(6):
            watchdog.feed()
            now[0] += 1.0
        watchdog.stopping()

        heard = [systemd.recv(100).decode() for _ in range(5)]
    assert heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_without_systemd_nothing_happens() -> None:
    watchdog = Watchdog({})
    watchdog.ready()
    watchdog.feed()


def test_a_systemd_that_is_gone_does_not_matter(tmp_path: Path) -> None:
    Watchdog({"NOTIFY_SOCKET": str(tmp_path / "none")}).ready()


def test_it_is_fed_by_the_loop_even_without_pictures(live: Live) -> None:
    fed: list[None] = []
    live.every_turn.append(lambda: fed.append(None))

    live.turn()

    assert fed == [None]
