"""``edge-ttvos doctor``: what is installed, what is missing, what to type."""

from __future__ import annotations

from dataclasses import asdict

import typer

from edge_ttvos import origin
from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import FAILED
from edge_ttvos.cli.options import JsonOption, QuietOption, VerboseOption, screen
from edge_ttvos.cli.process import held
from edge_ttvos.firmware_bridge.diagnosis import Check, diagnose
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.protocol import bare_protocol


def doctor(json: JsonOption = None, verbose: VerboseOption = 0, quiet: QuietOption = False) -> None:
    """Say what is installed, what is missing and what to type; 0 if tracking works."""
    with screen(json, verbose, quiet) as show:
        run(show)


def run(show: Screen) -> None:
    """Show the findings, then what to type, each on a line of its own to be copied."""
    with held():
        diagnosis = diagnose()
    show.result(
        {
            "schema": 1,
            "complete": True,
            "can_track": diagnosis.can_track,
            "checks": [asdict(check) for check in diagnosis.checks],
            "protocol": bare_protocol(device=device()),
        }
    )
    rows = [(check.name, _mark(check), check.finding) for check in diagnosis.checks]
    show.table(f"edge-ttvos {origin.version()}", ("what", "", "found"), rows)
    if not diagnosis.can_track:
        lines = ["edge-ttvos: this installation cannot track yet; type:", *diagnosis.remedies]
        typer.echo("\n    ".join(lines), err=True)
        raise typer.Exit(FAILED)
    for check in diagnosis.checks:
        if check.advice:
            show.say(f"{check.name} is {_mark(check)}; to have it, type: {check.advice}")
    show.say("This installation can track.")


def _mark(check: Check) -> str:
    if check.ok:
        return "ok"
    return "missing" if check.needed else "absent"
