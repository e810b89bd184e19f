"""``edge-ttvos doctor``: what is installed, what is missing, what to type."""

from __future__ import annotations

import typer

from edge_ttvos import origin
from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import FAILED
from edge_ttvos.cli.options import JsonOption, QuietOption, VerboseOption, screen
from edge_ttvos.cli.process import held
from edge_ttvos.firmware_bridge.check import Check
from edge_ttvos.firmware_bridge.diagnosis import diagnose


def doctor(json: JsonOption = None, verbose: VerboseOption = 0, quiet: QuietOption = False) -> None:
    """Say what is installed, what is missing and what to type; 0 if tracking works."""
    with screen(json, verbose, quiet) as show:
        run(show)


def run(show: Screen) -> None:
    """Show the findings, then what to type, each on a line of its own to be copied."""
    with held():
        diagnosis = diagnose()
    show.result(diagnosis.to_json())
    rows = [(check.name, check.mark, check.finding) for check in diagnosis.checks]
    show.table(f"edge-ttvos {origin.version()}", ("what", "", "found"), rows)
    if not diagnosis.can_track:
        lines = ["edge-ttvos: this installation cannot track yet; type:", *diagnosis.remedies]
        typer.echo("\n    ".join(lines), err=True)
        raise typer.Exit(FAILED)
    for check in diagnosis.checks:
        if check.advice:
            show.say(_remedy(check))
    show.say("This installation can track.")


def _remedy(check: Check) -> str:
    if check.trouble:
        return f"{check.name}: {check.finding}; what to do: {check.advice}"
    return f"{check.name} is {check.mark}; to have it, type: {check.advice}"
