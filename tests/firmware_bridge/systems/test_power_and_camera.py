"""What holds a board back, and what holds its camera."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.firmware_bridge.systems import system_checks

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.mark.parametrize(
    ("bits", "ok", "finding", "advice"),
    [
        ("0", True, "nothing held it back since boot", ""),
        ("50005", False, "under-voltage, throttled now", "power supply"),
        ("50000", False, "under-voltage, throttled since boot", "power supply"),
        ("80008", False, "soft temperature limit now", "heat sink"),
        ("20000", False, "clock capped since boot", "heat sink"),
    ],
)
def test_a_pi_says_what_held_it_back(
    bits: str, ok: bool, finding: str, advice: str, board: Any
) -> None:
    found = board({THROTTLED: bits})["power and heat"]
    assert (found.ok, found.finding) == (ok, finding)
    assert advice in found.advice


def test_the_firmwares_own_command_is_asked(board: Any, tree: Path, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "vcgencmd"
    command.write_text("#!/bin/sh\necho throttled=0x50005\n")
    command.chmod(0o755)
    assert board({})["power and heat"].finding == "under-voltage, throttled now"


def test_a_jetsons_over_current_events(board: Any) -> None:
    counters = {f"sys/class/hwmon/hwmon1/oc{n}_event_cnt": "0\n" for n in (1, 2, 3)}
    assert board(counters)["over-current"].ok
    found = board(
        {
            "sys/class/hwmon/hwmon1/oc1_event_cnt": "2\n",
            "sys/class/hwmon/hwmon1/oc3_event_cnt": "7\n",
        }
    )["over-current"]
    assert (found.mark, found.finding) == (
        "trouble",
        "2 under-voltage, 7 instantaneous over-current since boot, each throttled it",
    )


def test_a_machine_that_tells_nothing_is_not_talked_about(board: Any) -> None:
    assert board({}) == {}


def process(tree: Path, number: int, name: str, *files: str) -> None:
    folder = tree / "proc" / str(number)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")
    for descriptor, file in enumerate(files):
        (folder / "fd" / str(descriptor)).symlink_to(file)


def test_a_camera_that_another_program_holds(board: Any, tree: Path) -> None:
    process(tree, 812, "rpicam-vid", "/dev/null", "/dev/video0")
    process(tree, 900, "bash", "/dev/pts/0", "/dev/video01")
    found = board({"dev/video0": "", "dev/video1": ""})
    assert found["camera"].ok, "the free ones come last"
    checks = [check for check in system_checks(tree) if check.trouble]
    assert [check.finding for check in checks] == [
        "/dev/video0 is held by rpicam-vid (process 812)"
    ]
    assert checks[0].advice == "end that program, or type: kill 812"


def test_two_programs_and_no_name(board: Any, tree: Path) -> None:
    process(tree, 7, "a", "/dev/video0")
    process(tree, 31, "", "/dev/video0")
    found = board({"dev/video0": ""})["camera"]
    assert found.finding == "/dev/video0 is held by a (process 7), a program (process 31)"
    assert found.advice.endswith("kill 7 31")


def test_this_program_may_hold_its_camera(board: Any, tree: Path) -> None:
    process(tree, os.getpid(), "python", "/dev/video0")
    assert board({"dev/video0": ""})["camera"].ok


def test_a_process_that_nobody_may_look_into(board: Any, tree: Path) -> None:
    (tree / "proc" / "1").mkdir(parents=True)
    assert board({"dev/video0": ""})["camera"].finding == "free: /dev/video0"


def test_many_devices_are_listed_in_order_and_in_short(board: Any) -> None:
    files = {f"dev/video{n}": "" for n in (0, 1, 10, 19, 2)}
    found = board(files | {"sys/class/video4linux/video1/name": "imx708\n"})["camera"]
    assert found.finding == "free: /dev/video0, /dev/video1 (imx708), /dev/video2 and 2 more"
