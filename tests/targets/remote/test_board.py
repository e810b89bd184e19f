"""What is sent to the board: it needs Python's own library alone, and dies with its connection."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.targets.remote.board import channel as channels
from edge_ttvos.targets.remote.board.channel import Channel, GoneError
from edge_ttvos.targets.remote.board.store import RefusedError, Store
from edge_ttvos.targets.remote.connection import BOARD, PROBE, SESSION, remote_command

FOLDER = Path(channels.__file__).parent


def imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


@pytest.mark.parametrize("modules", [PROBE, SESSION])
def test_only_pythons_own_library_and_one_another(modules: tuple[str, ...]) -> None:
    sent: set[str] = set()
    for name in modules:
        for module in imports((FOLDER / f"{name}.py").read_text("utf-8")):
            own = module.removeprefix(f"{BOARD}.")
            assert module.partition(".")[0] in sys.stdlib_module_names or own in sent
        sent.add(name)


def test_all_that_is_there_is_sent() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {*PROBE, *SESSION, "__init__"}


def test_old_pythons_can_read_the_probe() -> None:
    source = (FOLDER / "probe.py").read_text("utf-8")
    ast.parse(source, feature_version=(3, 6))
    for name in SESSION:
        ast.parse((FOLDER / f"{name}.py").read_text("utf-8"), feature_version=(3, 10))


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_shells_hand_it_over_whole(shell: str, tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [shell, "-c", remote_command(PROBE)], capture_output=True, env=environment, check=True
    )
    assert json.loads(done.stdout)["bits"] in (32, 64)
    command = remote_command(SESSION)
    assert len(command) < 1 << 17  # what Linux takes as one argument
    assert "\n" not in command


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "place")


def test_the_first_release_has_nothing_before_it(store: Store) -> None:
    assert (store.live, store.fallback) == (None, None)
    release = store.fresh("a" * 64)
    store.switch(release)
    assert (store.live, store.fallback) == (release, None)
    with pytest.raises(RefusedError, match="no previous version"):
        store.roll_back()


def test_numbers_go_on_where_releases_were_removed(store: Store) -> None:
    releases = []
    for letter in "abc":
        releases.append(store.fresh(letter * 64))
        store.switch(releases[-1])
        store.tidy()
    assert [path.name for path in releases] == [f"000{i + 1}-{c * 12}" for i, c in enumerate("abc")]
    assert (store.live, store.fallback) == (releases[2], releases[1])
    assert not releases[0].exists()
    store.roll_back()
    assert (store.live, store.fallback) == (releases[1], releases[2])


def test_leftovers_go_and_what_is_to_be_continued_stays(store: Store) -> None:
    live = store.fresh("a" * 64)
    store.switch(live)
    store.fresh("b" * 64)
    (store.root / ".current.new").symlink_to("nowhere")
    for name in ("wanted", "other"):
        (store.incoming / name).touch()
    store.tidy(["wanted"])
    assert list(store.releases.iterdir()) == [live]
    assert [path.name for path in store.incoming.iterdir()] == ["wanted"]
    store.switch(store.fresh("c" * 64))
    assert store.fallback == live


def test_a_link_that_leads_nowhere_is_no_release(store: Store) -> None:
    (store.root / "current").symlink_to("releases/0001-gone")
    assert store.live is None
    store.switch(store.fresh("a" * 64))
    assert store.fallback is None


def test_one_at_a_time(store: Store) -> None:
    lock = store.lock()
    with pytest.raises(RefusedError, match="another deployment to this board is under way"):
        store.lock()
    os.close(lock)
    os.close(store.lock())


@pytest.fixture
def ends() -> Iterator[tuple[Channel, int, int]]:
    """A channel, and the host's ends of it: to write into, to read from."""
    source, host_out = os.pipe()
    host_in, sink = os.pipe()
    yield Channel(source, sink), host_out, host_in
    for descriptor in (source, host_out, host_in, sink):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test closed it


def test_lines_and_bytes_come_as_they_were_sent(ends: tuple[Channel, int, int]) -> None:
    channel, host, answers = ends
    os.write(host, b'\n\n{"do": "receive"}\nraw\nbytes')
    assert channel.request() == {"do": "receive"}
    assert channel.data(3) + channel.data(100) == b"raw\nbytes"
    channel.tell("done", text="ünï\n")
    assert json.loads(os.read(answers, 100)) == {"event": "done", "text": "ünï\n"}


def run(channel: Channel, script: str) -> tuple[int, list[str]]:
    with open(os.devnull) as lock:
        return channel.run(["sh", "-c", script], {"NAME": "value"}, lock.fileno())


def test_a_process_is_heard_to_its_last_word(ends: tuple[Channel, int, int]) -> None:
    channel, host, _ = ends
    os.write(host, b"\n\n")
    assert run(channel, 'echo "$NAME"; echo two >&2; printf three; exit 5') == (
        5,
        ["value", "two", "three"],
    )


def test_a_process_dies_with_the_connection(ends: tuple[Channel, int, int], tmp_path: Path) -> None:
    channel, host, _ = ends
    os.close(host)
    with pytest.raises(GoneError):
        run(channel, f"echo $$ >{tmp_path}/pid; sleep 1000 & wait")
    assert gone(tmp_path / "pid")


def test_a_host_that_falls_silent_is_gone(
    ends: tuple[Channel, int, int], monkeypatch: Any, tmp_path: Path
) -> None:
    channel, _, _ = ends
    monkeypatch.setattr(channels, "SILENCE", 0.2)
    with pytest.raises(GoneError):
        channel.request()
    with pytest.raises(GoneError):
        run(channel, f"echo $$ >{tmp_path}/pid; exec sleep 1000")
    assert gone(tmp_path / "pid")


def test_nobody_reads_any_more(ends: tuple[Channel, int, int]) -> None:
    channel, _, answers = ends
    os.close(answers)
    with pytest.raises(GoneError):
        channel.tell("done")


def gone(pid: Path) -> bool:
    """Whether the process has ended, given a moment; it may have ended before it said its name."""
    for _ in range(100):
        try:
            os.kill(int(pid.read_text()), 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return True
        time.sleep(0.02)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    return False
