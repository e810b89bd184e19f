"""Killed at any step, by either end, a board runs what it ran before, or what had gone live.

On the board's side SIGKILL strikes before the n-th change that the program is about to make,
counted by Python's audit events; on the line ``ssh``, or the server's process for this connection,
is killed at the n-th moment that something is sent or heard.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.remote import send as sending
from edge_ttvos.targets.remote.connection import Connection, Event
from edge_ttvos.targets.remote.send import send

# Loaded by every Python on the would-be board; acts in the program that was sent there.
SITE = """
import os, signal, sys

CHANGES = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "shutil.rmtree",
           "subprocess.Popen"}
home = os.environ["HOME"]

if "-c" in sys.orig_argv and os.path.exists(home + "/kill-at"):
    trace = os.open(home + "/trace", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    at = int(open(home + "/kill-at").read())
    count = 0

    def hook(event, arguments):
        global count
        if event not in CHANGES or event == "open" and not arguments[2] & os.O_ACCMODE:
            return
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(trace, f"{event} {arguments[:2]}\\n".encode())

    sys.addaudithook(hook)
"""
NEVER = 10**6
PATIENCE = 30.0  # seconds
QUICK = 0.05, 0.3, 0.6, 0.8, 0.95  # shares of all steps that the default run kills at


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


class Board:
    """A board that runs "one", again and again as it was."""

    def __init__(self, serve: Any, toy: Any, folder: Path) -> None:
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(SITE)
        self.server = serve({"PYTHONPATH": str(folder / "site")})
        self.toy, self._saved = toy, folder / "saved"
        send(self.server.address, toy("one"))
        send(self.server.address, toy("one"))  # with a previous version
        shutil.copytree(self.server.home, self._saved, symlinks=True)

    def reset(self) -> None:
        shutil.rmtree(self.server.home)
        shutil.copytree(self._saved, self.server.home, symlinks=True)

    def kill_at(self, step: int) -> None:
        (self.server.home / "kill-at").write_text(str(step))

    def trace(self) -> list[str]:
        return (self.server.home / "trace").read_text().splitlines()

    def deploy(self) -> str | None:
        """Try to deploy "two"; what the board runs when all that was cut off has ended."""
        with suppress(RemoteError):
            send(self.server.address, self.toy("two"))
        self.server.settle()
        wait_until(lambda: not self.connections())
        runs: str | None = self.server.runs
        return runs

    def connections(self) -> list[int]:
        """Processes of the server that serve one connection each."""
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):  # it has ended
                if f"\nPPid:\t{self.server.process.pid}\n" in status.read_text():
                    found.append(int(status.parent.name))
        return found

    def recovers(self) -> None:
        """The next attempt succeeds and leaves two releases and nothing else."""
        (self.server.home / "kill-at").unlink(missing_ok=True)
        done = send(self.server.address, self.toy("three"))
        assert self.server.runs == "three"
        releases = {path.name for path in (self.server.place / "releases").iterdir()}
        assert releases == {done.standing.live, done.standing.previous}
        assert list((self.server.place / "incoming").iterdir()) == []


@pytest.fixture
def board(serve: Any, toy: Any, tmp_path: Path) -> Board:
    return Board(serve, toy, tmp_path)


def chosen(steps: int) -> list[int]:
    return sorted({max(1, round(share * steps)) for share in QUICK})


def strike_on_the_board(board: Board, every: bool) -> list[tuple[int, str | None]]:
    """Kill at some steps, or at each one; what ran afterwards."""
    board.reset()
    board.kill_at(NEVER)
    assert board.deploy() == "two"
    trace = board.trace()
    (switched,) = (n for n, line in enumerate(trace, 1) if line.endswith("/current')"))
    outcomes = []
    for step in range(1, len(trace) + 1) if every else chosen(len(trace)):
        board.reset()
        board.kill_at(step)
        outcomes.append((step, board.deploy()))
        assert len(board.trace()) == step - 1, "killed somewhere else"
        assert outcomes[-1][1] == ("one" if step <= switched else "two")
        board.recovers()
    return outcomes


@pytest.mark.slow
def test_killed_on_the_board(board: Board) -> None:
    assert {runs for _, runs in strike_on_the_board(board, False)} == {"one", "two"}


@pytest.mark.soak
def test_killed_on_the_board_before_every_change(board: Board) -> None:
    outcomes = strike_on_the_board(board, True)
    print(f"{len(outcomes)} kills on the board: {tally(outcomes)}")
    assert len(outcomes) >= 30


class Killer:
    """Kills at the n-th moment that a connection sends or hears something."""

    def __init__(self, victim: str, board: Board) -> None:
        self.victim, self.board = victim, board
        self.at, self.moments = NEVER, 0
        killer = self

        class Mortal(Connection):
            def write(self, data: bytes | memoryview) -> None:
                killer.moment(self)
                super().write(data)

            def event(self) -> Event:
                event = super().event()
                killer.moment(self)
                return event

        self.connection = Mortal

    def moment(self, connection: Connection) -> None:
        self.moments += 1
        if self.moments == self.at:
            doomed = [connection.process.pid]
            if self.victim == "sshd":
                wait_until(lambda: bool(self.board.connections()))
                doomed = self.board.connections()
            for pid in doomed:
                os.kill(pid, signal.SIGKILL)


def strike_on_the_line(
    board: Board, victim: str, every: bool, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, str | None]]:
    killer = Killer(victim, board)
    board.reset()
    monkeypatch.setattr(sending, "Connection", killer.connection)
    assert board.deploy() == "two"
    total, outcomes = killer.moments, []
    for step in range(1, total + 1) if every else chosen(total):
        board.reset()
        monkeypatch.setattr(sending, "Connection", killer.connection)
        killer.at, killer.moments = step, 0
        outcomes.append((step, board.deploy()))
        assert outcomes[-1][1] in ("one", "two")
        assert outcomes[-1][1] == "one" or step >= total - 3, "live before the switch was asked for"
        monkeypatch.setattr(sending, "Connection", Connection)
        board.recovers()
    return outcomes


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["ssh", "sshd"])
def test_killed_on_the_line(victim: str, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "one" in {runs for _, runs in strike_on_the_line(board, victim, False, monkeypatch)}


@pytest.mark.soak
@pytest.mark.parametrize("victim", ["ssh", "sshd"])
def test_killed_on_the_line_at_every_moment(
    victim: str, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = strike_on_the_line(board, victim, True, monkeypatch)
    print(f"{len(outcomes)} kills of {victim}: {tally(outcomes)}")
    assert len(outcomes) >= 15


def tally(outcomes: list[tuple[int, str | None]]) -> str:
    runs = [run for _, run in outcomes]
    return f"{runs.count('one')} times the old version ran afterwards, {runs.count('two')} the new"
