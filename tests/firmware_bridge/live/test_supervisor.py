"""A camera process that fails is replaced; one that hangs is killed; nobody waits for it."""

from __future__ import annotations

import errno
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_ttvos.firmware_bridge.live.patience import Patience
from edge_ttvos.firmware_bridge.live.run import heard_or_not
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.live.supervisor import CameraState, Supervisor

FLAKY = Path(__file__).with_name("flaky.py")
PATIENCE = Patience(opening=30, picture=2, shortest=0.01, longest=0.02, leaving=0.1)
DEADLINE = 60.0  # seconds; only a test that fails takes so long

Open = Callable[..., Supervisor]


@pytest.fixture
def told() -> list[str]:
    """Lines for people."""
    return []


@pytest.fixture
def open_flaky(slot: Slot, told: list[str], tmp_path: Path) -> Iterator[Open]:
    """Start a supervisor on a camera with a fault."""
    opened: list[Supervisor] = []

    def start(
        fault: str, patience: Patience = PATIENCE, tell: Callable[[str], None] = told.append
    ) -> Supervisor:
        def command(pipe: int) -> list[str]:
            return [sys.executable, str(FLAKY), str(pipe), str(tmp_path / "lives"), fault]

        supervisor = Supervisor(command, slot, patience, tell)
        opened.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in opened:
        supervisor.close()


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("unplugged", "no such device"),
        ("crashed", "the capture process died"),
        ("hung", "the camera sends no picture"),
        ("half", "in the middle of a picture"),
        ("stuck", "the camera sends no picture"),
        ("garbage", "no message"),
        ("unknown", "no message"),
    ],
)
def test_it_recovers(open_flaky: Open, slot: Slot, told: list[str], fault: str, why: str) -> None:
    supervisor = open_flaky(fault)

    wait_for(lambda: slot.counts.received > 6)

    assert supervisor.status.state is CameraState.LIVE
    assert supervisor.status.restarts == 1
    (line,) = told
    assert why in line
    assert "trying again in 0.01 s" in line


@pytest.mark.parametrize(
    ("fault", "state"), [("over", CameraState.ENDED), ("hopeless", CameraState.FAILED)]
)
def test_some_ends_are_ends(
    open_flaky: Open, slot: Slot, told: list[str], fault: str, state: CameraState
) -> None:
    supervisor = open_flaky(fault)

    wait_for(lambda: supervisor.status.state is state)

    assert slot.counts.received == 2
    assert told == []
    assert supervisor.status.why


def test_closing_ends_the_process(slot: Slot, tmp_path: Path) -> None:
    numbers = tmp_path / "pid"
    script = f"import os, time; open({str(numbers)!r}, 'w').write(str(os.getpid())); time.sleep(99)"
    supervisor = Supervisor(lambda pipe: [sys.executable, "-c", script], slot, PATIENCE)
    supervisor.start()
    wait_for(lambda: numbers.exists() and bool(numbers.read_text()))

    supervisor.close()

    with pytest.raises(ProcessLookupError):
        os.kill(int(numbers.read_text()), 0)


def test_a_process_that_cannot_be_started_is_tried_again(slot: Slot, told: list[str]) -> None:
    supervisor = Supervisor(lambda pipe: ["/no/such/program"], slot, PATIENCE, told.append)
    supervisor.start()

    wait_for(lambda: len(told) >= 2)
    supervisor.close()

    assert "cannot be started: No such file" in told[0]


def test_nobody_needs_to_hear_it(open_flaky: Open, slot: Slot) -> None:
    def tell(line: str) -> None:
        raise OSError(errno.EPIPE, "nobody reads stderr")

    supervisor = open_flaky("unplugged", tell=heard_or_not(tell))

    wait_for(lambda: slot.counts.received > 6)
    assert supervisor.status.state is CameraState.LIVE


def test_too_many_open_files_are_an_attempt_that_failed(
    slot: Slot, told: list[str], tmp_path: Path
) -> None:
    def command(pipe: int) -> list[str]:
        return [sys.executable, str(FLAKY), str(pipe), str(tmp_path / "lives"), "over"]

    supervisor = Supervisor(command, slot, PATIENCE, told.append)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        supervisor.start()
        wait_for(lambda: bool(told) or supervisor.status.state is not CameraState.OPENING)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    wait_for(lambda: slot.counts.received == 2)
    supervisor.close()

    assert "cannot be started: Too many open files" in told[0]


def test_a_known_camera_that_hangs_while_it_is_opened_is_given_up_sooner(
    open_flaky: Open, slot: Slot, told: list[str]
) -> None:
    patience = Patience(opening=10 * DEADLINE, reopening=0.5, shortest=0.01, leaving=0.1)
    supervisor = open_flaky("mute", patience)

    wait_for(lambda: slot.counts.received > 6)

    assert supervisor.status.state is CameraState.LIVE
    assert "no such device" in told[0]
    assert all("sends no picture" in line for line in told[1:])
    assert len(told) >= 2


def test_attempts_come_ever_less_often(slot: Slot, told: list[str]) -> None:
    patience = Patience(opening=30, shortest=0.01, longest=0.04, leaving=0.1)
    supervisor = Supervisor(lambda pipe: [sys.executable, "-c", ""], slot, patience, told.append)
    supervisor.start()

    wait_for(lambda: len(told) >= 4)
    supervisor.close()

    delays = [float(line.split()[-2]) for line in told[:4]]
    assert delays == [0.01, 0.02, 0.04, 0.04]
