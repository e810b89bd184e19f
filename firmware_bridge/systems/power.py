"""Whether the board is held back: under-voltage and throttling, now and since boot.

Sources: raspberrypi.com/documentation/computers/os.html#get_throttled; docs.nvidia.com/jetson
(Platform Power and Performance, Jetson Orin: ``oc1_event_cnt`` and its kin under
``/sys/class/hwmon`` count under-voltage, average and instantaneous over-current).
"""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.firmware_bridge.check import Check, there, trouble
from edge_ttvos.firmware_bridge.check import text as text_of
from edge_ttvos.firmware_bridge.condition import Throttle, sense

NAME = "power and heat"
OVER_CURRENT = "sys/class/hwmon/hwmon*/oc*_event_cnt"
EVENTS = {
    "oc1_event_cnt": "under-voltage",
    "oc2_event_cnt": "average over-current",
    "oc3_event_cnt": "instantaneous over-current",
}
SUPPLY = "take the board's official power supply and a short cable"
COOLING = "give it a heat sink or a fan"


def checks(root: Path) -> tuple[Check, ...]:
    """Findings where the board tells; none elsewhere."""
    throttle = sense(root).throttle
    events = {
        path.name: int(count) for path in sorted(root.glob(OVER_CURRENT)) if (count := _count(path))
    }
    found = () if throttle is None else (_throttled(throttle),)
    return (*found, *_over_current(root, events))


def _throttled(throttle: Throttle) -> Check:
    if not throttle.since_boot and not throttle.now:
        return there(NAME, "nothing held it back since boot")
    causes = throttle.now or throttle.since_boot
    when = "now" if throttle.now else "since boot"
    electric = "under-voltage" in causes
    return trouble(NAME, f"{', '.join(causes)} {when}", SUPPLY if electric else COOLING)


def _count(path: Path) -> str:
    count = text_of(path)
    return count if count.isdigit() else ""


def _over_current(root: Path, events: dict[str, int]) -> tuple[Check, ...]:
    if not events:
        return ()
    name = "over-current"
    told = [f"{count} {EVENTS.get(file, file)}" for file, count in events.items() if count]
    if not told:
        return (there(name, "no event since boot"),)
    advice = f"{SUPPLY}, or a lower power mode: sudo nvpmodel -q"
    return (trouble(name, f"{', '.join(told)} since boot, each throttled it", advice),)
