"""What state the machine is in while it measures: clock, temperature, a Raspberry Pi's throttling.

``sense`` reads it once; ``Watch`` keeps the extremes of many readings. Read between frames, not in
a thread beside them: reading takes a process of its own where only ``vcgencmd`` knows, and nothing
should run beside a frame that is being timed.

Sources: docs.kernel.org/admin-guide/pm/cpufreq.html, docs.kernel.org/driver-api/thermal,
raspberrypi.com/documentation/computers/os.html#get_throttled.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path("/")
CLOCKS = "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"  # kHz
ZONES = "sys/class/thermal/thermal_zone*"
THROTTLED = "sys/devices/platform/soc*/*firmware/get_throttled"
COMMAND = ("vcgencmd", "get_throttled")

CPU_ZONES = ("cpu", "x86_pkg_temp", "soc")  # others are batteries, radios, power chips
PLAUSIBLE = (-40.0, 150.0)  # °C; a sensor that is off reports −273 or so
BITS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}
SINCE_BOOT = 16  # bits further up: the same, at any time since boot
EVERY = 1.0  # seconds between readings


@dataclass(frozen=True)
class Throttle:
    """What holds a Raspberry Pi back: now, and at any time since boot."""

    now: tuple[str, ...]
    since_boot: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """One reading; None where the machine does not tell.

    Attributes:
        clock_mhz: mean over the processors.
        temperature_c: the hottest of the processor's sensors, or of all where none is called so.
        throttle: a Raspberry Pi's.
    """

    clock_mhz: float | None
    temperature_c: float | None
    throttle: Throttle | None

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "clock_mhz": self.clock_mhz,
            "temperature_c": self.temperature_c,
            "throttle": None
            if self.throttle is None
            else {name: list(value) for name, value in vars(self.throttle).items()},
        }


def sense(root: Path = ROOT) -> Condition:
    """Read the machine's condition.

    Args:
        root: where ``sys`` stands.
    """
    clocks = [value for path in root.glob(CLOCKS) if (value := _number(path)) is not None]
    return Condition(
        round(sum(clocks) / len(clocks) / 1e3, 1) if clocks else None,
        _temperature(root),
        _throttle(root),
    )


def decode(bits: int) -> Throttle:
    """The firmware's bits by name."""
    return Throttle(
        tuple(name for bit, name in BITS.items() if bits >> bit & 1),
        tuple(name for bit, name in BITS.items() if bits >> (bit + SINCE_BOOT) & 1),
    )


class Watch:
    """Readings before, during and after a run.

    Args:
        root: where ``sys`` stands.
        clock: seconds.
    """

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._clock = root, clock
        self._before = self._last = sense(root)
        self._after: Condition | None = None
        self._due = clock() + EVERY
        self._samples = 0
        self._clocks, self._temperatures = _Range(), _Range()
        self._causes = set(self._before.throttle.now if self._before.throttle else ())

    def tick(self) -> None:
        """Take a reading if one is due: call it between frames."""
        if self._clock() >= self._due:
            self._read()
            self._samples += 1
            self._due = self._clock() + EVERY
            self._clocks.add(self._last.clock_mhz)
            self._temperatures.add(self._last.temperature_c)

    def end(self) -> None:
        """Take the last reading."""
        self._read()
        self._after = self._last

    @property
    def throttled(self) -> bool | None:
        """Whether anything held the machine back since the watch began; None: it does not tell."""
        return bool(self._causes) if self._last.throttle is not None or self._causes else None

    def to_json(self) -> dict[str, Any]:
        """The three, and what held the machine back."""
        return {
            "before": self._before.to_json(),
            "during": {
                "readings": self._samples,
                "clock_mhz": self._clocks.to_json(),
                "temperature_c": self._temperatures.to_json(),
            },
            "after": None if self._after is None else self._after.to_json(),
            "throttled_by": [name for name in BITS.values() if name in self._causes],
        }

    def _read(self) -> None:
        """What holds now counts, and what came to pass since the reading before."""
        before, self._last = self._last, sense(self._root)
        if self._last.throttle is not None:
            known = before.throttle.since_boot if before.throttle else ()
            self._causes |= {*self._last.throttle.now}
            self._causes |= {*self._last.throttle.since_boot} - {*known}


class _Range:
    """Least, mean and most of the numbers seen."""

    def __init__(self) -> None:
        self._least, self._most, self._sum, self._count = math.inf, -math.inf, 0.0, 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self._least, self._most = min(self._least, value), max(self._most, value)
            self._sum, self._count = self._sum + value, self._count + 1

    def to_json(self) -> dict[str, float] | None:
        if not self._count:
            return None
        mean = round(self._sum / self._count, 1)
        return {"min": self._least, "mean": mean, "max": self._most}


def _temperature(root: Path) -> float | None:
    every = {path: value for path in root.glob(ZONES) if (value := _celsius(path)) is not None}
    own = [value for path, value in every.items() if _is_cpu(_text(path / "type"))]
    return max(own or every.values(), default=None)


def _celsius(zone: Path) -> float | None:
    value = _number(zone / "temp")
    plausible = value is not None and PLAUSIBLE[0] <= value / 1e3 <= PLAUSIBLE[1]
    return round(value / 1e3, 1) if value is not None and plausible else None


def _is_cpu(kind: str) -> bool:
    return kind.lower().startswith(CPU_ZONES)


def _throttle(root: Path) -> Throttle | None:
    """From the kernel; where it does not have them, from the firmware's own command."""
    return _first_bits(map(_text, sorted(root.glob(THROTTLED)))) or _first_bits((_asked(),))


def _asked() -> str:
    """``throttled=0x50005``, or nothing where the command is absent or refused."""
    if shutil.which(COMMAND[0]) is None:  # to try it all the same takes 14 ms, every time
        return ""
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=EVERY)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _first_bits(answers: Iterable[str]) -> Throttle | None:
    for answer in answers:
        try:
            return decode(int(answer.rpartition("=")[2], 16))
        except ValueError:
            continue
    return None


def _number(path: Path) -> float | None:
    try:
        return float(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:  # a sensor may be listed and yet not answer
        return ""
