"""The machine's condition, from a ``sys`` tree and a ``vcgencmd`` made for the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.firmware_bridge import condition
from edge_ttvos.firmware_bridge.condition import EVERY, Throttle, Watch, decode, sense

FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"

Plant = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH is a folder of the test's own, without ``vcgencmd``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write a file below the would-be root."""

    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    return write


class Clock:
    """Seconds that pass when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def put_command(folder: Path, script: str) -> None:
    (folder / "vcgencmd").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "vcgencmd").chmod(0o755)


def test_a_machine_that_tells_nothing_has_nulls(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.end()

    assert watch.throttled is None
    assert watch.to_json()["before"] == {
        "clock_mhz": None,
        "temperature_c": None,
        "throttle": None,
    }
    assert watch.to_json()["during"]["clock_mhz"] is None
    json.dumps(watch.to_json(), allow_nan=False)


def test_clock_and_temperature(tmp_path: Path, plant: Plant) -> None:
    for cpu, kilohertz in ((0, 1_500_000), (1, 2_400_000)):
        plant(f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq", f"{kilohertz}\n")
    zones = {"battery": 90_000, "cpu-thermal": 61_234, "cpu1-thermal": 63_000, "wifi": 80_000}
    for number, (kind, value) in enumerate(zones.items()):
        plant(f"sys/class/thermal/thermal_zone{number}/type", f"{kind}\n")
        plant(f"sys/class/thermal/thermal_zone{number}/temp", f"{value}\n")

    found = sense(tmp_path)

    assert (found.clock_mhz, found.temperature_c) == (1950.0, 63.0)


def test_sensors_that_are_off_do_not_count(tmp_path: Path, plant: Plant) -> None:
    for number, value in enumerate(("-274000", "", "broken", "48000")):
        plant(f"sys/class/thermal/thermal_zone{number}/temp", value)
    (tmp_path / "sys/class/thermal/thermal_zone9/temp").mkdir(parents=True)

    assert sense(tmp_path).temperature_c == 48.0


@pytest.mark.parametrize(
    ("bits", "now", "since_boot"),
    [
        (0, (), ()),
        (0x1, ("under-voltage",), ()),
        (0x50000, (), ("under-voltage", "throttled")),
        (
            0xE0008,
            ("soft temperature limit",),
            ("clock capped", "throttled", "soft temperature limit"),
        ),
        (0x50005, ("under-voltage", "throttled"), ("under-voltage", "throttled")),
    ],
)
def test_bits_have_names(bits: int, now: tuple[str, ...], since_boot: tuple[str, ...]) -> None:
    assert decode(bits) == Throttle(now, since_boot)


@pytest.mark.parametrize(
    "path", [FIRMWARE, "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"]
)
def test_the_kernels_bits_are_hexadecimal(tmp_path: Path, plant: Plant, path: str) -> None:
    plant(path, "20002\n")

    assert sense(tmp_path).throttle == Throttle(("clock capped",), ("clock capped",))


def test_no_process_is_started_in_vain(
    tmp_path: Path, no_command: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that cannot start leaves a string in CPython's cache of attributes, and takes time."""
    started: list[object] = []
    monkeypatch.setattr(condition.subprocess, "run", lambda *args, **more: started.append(args))
    sense(tmp_path)
    put_command(no_command, "echo throttled=0x0")
    plant(FIRMWARE, "0\n")
    sense(tmp_path)

    assert started == []


def test_the_command_is_asked_where_the_kernel_does_not_know(
    tmp_path: Path, no_command: Path
) -> None:
    put_command(no_command, '[ "$*" = get_throttled ] && echo throttled=0x40004')

    assert sense(tmp_path).throttle == Throttle(("throttled",), ("throttled",))


@pytest.mark.parametrize("script", ["exit 1", "echo VCHI initialization failed", "echo"])
def test_a_command_that_fails_tells_nothing(tmp_path: Path, no_command: Path, script: str) -> None:
    put_command(no_command, script)

    assert sense(tmp_path).throttle is None


def test_a_short_dip_between_two_readings_is_seen(tmp_path: Path, plant: Plant) -> None:
    plant(FIRMWARE, "0")
    watch = Watch(tmp_path)
    plant(FIRMWARE, "40000")  # no longer now, but since the last reading
    watch.end()

    assert watch.throttled is True
    assert watch.to_json()["throttled_by"] == ["throttled"]


def test_a_run_that_begins_throttled_is_marked(tmp_path: Path, plant: Plant) -> None:
    plant(FIRMWARE, "20002")
    watch = Watch(tmp_path)
    plant(FIRMWARE, "20000")
    watch.end()

    assert watch.throttled is True


def test_what_was_before_the_run_does_not_count(tmp_path: Path, plant: Plant) -> None:
    plant(FIRMWARE, "50000")
    watch = Watch(tmp_path)
    watch.end()

    assert watch.throttled is False
    since_boot = watch.to_json()["after"]["throttle"]["since_boot"]
    assert since_boot == ["under-voltage", "throttled"]


def test_one_throttled_reading_marks_the_whole_run(tmp_path: Path, plant: Plant) -> None:
    clock = Clock()
    plant(FIRMWARE, "0")
    watch = Watch(tmp_path, clock)
    for bits in ("0", "20002", "20000"):
        plant(FIRMWARE, bits)
        clock.now += EVERY
        watch.tick()
    watch.end()

    assert watch.throttled is True
    assert watch.to_json()["throttled_by"] == ["clock capped"]


def test_readings_are_a_second_apart_and_kept_as_extremes(tmp_path: Path, plant: Plant) -> None:
    clock = Clock()
    watch = Watch(tmp_path, clock)
    for megahertz in (1500, 600, 2400):
        path = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
        plant(path, str(1000 * megahertz))
        clock.now += EVERY
        for _ in range(5):
            watch.tick()

    during = watch.to_json()["during"]
    assert during["readings"] == 3
    assert during["clock_mhz"] == {"min": 600.0, "mean": 1500.0, "max": 2400.0}
