"""The systemd unit says what the loop does."""

from __future__ import annotations

from configparser import ConfigParser
from importlib.resources import files

from edge_ttvos.cli import live
from edge_ttvos.firmware_bridge.live import run


def test_the_unit_fits_the_program() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    folder = files("edge_ttvos.firmware_bridge.live")
    unit.read_string(folder.joinpath("edge-ttvos-live.service").read_text("utf-8"))
    service = unit["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 10
    assert run.GRACE < 5 < int(service["TimeoutStopSec"])
    assert int(service["SuccessExitStatus"]) == run.INTERRUPTED
    command = service["ExecStart"].split()
    assert command[0].endswith("/edge-ttvos")
    assert command[1] == live.live.__name__
    assert "--bundle" in command
