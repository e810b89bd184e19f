"""``edge-ttvos doctor``: what is installed, what is missing, what to type."""

from __future__ import annotations

from dataclasses import asdict

import typer

from edge_ttvos import origin
from edge_ttvos.cli.guard import FAILED
from edge_ttvos.cli.options import JsonOption, QuietOption, VerboseOption, screen
from edge_ttvos.firmware_bridge.diagnosis import Check, diagnose


def doctor(json: JsonOption = None, verbose: VerboseOption = 0, quiet: QuietOption = False) -> None:
    """Say what is installed, what is missing and what to type; 0 if tracking works."""
    show = screen(json, verbose, quiet)
    diagnosis = diagnose()
    show.result(
        {
            "schema": 1,
            "complete": True,
            "can_track": diagnosis.can_track,
            "checks": [asdict(check) for check in diagnosis.checks],
            "protocol": {"edge_ttvos": origin.version(), "commit": origin.commit()},
        }
    )
    rows = [(check.name, _mark(check), check.finding, check.advice) for check in diagnosis.checks]
    show.table(f"edge-ttvos {origin.version()}", ("what", "", "found", "what to type"), rows)
    if not diagnosis.can_track:
        show.say("This installation cannot track yet: see what to type.", verbosity=-1)
        raise typer.Exit(FAILED)
    show.say("This installation can track.")


def _mark(check: Check) -> str:
    if check.ok:
        return "ok"
    return "missing" if check.needed else "absent"
