"""Follow an object through the clip that comes with the repository, and say how well it went.

Tracks ``examples/demo`` with the shipped weights and scores the masks against the clip's own:

    python examples/demo.py --out demo-out

leaves masks/, overlay.mp4, track.json, eval.json and contact-sheet.png in ``demo-out``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli import track
from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.cli.prompts import collect
from edge_ttvos.cli.score import RESULT, show_report
from edge_ttvos.evaluation.datasets import open_dataset
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.evaluation.report import Report
from edge_ttvos.evaluation.score import score_folder
from edge_ttvos.firmware_bridge.contact_sheet import ContactSheet
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.follow import MASKS, OVERLAY
from edge_ttvos.firmware_bridge.sources import Window, open_source

CLIP = Path(__file__).parent / "demo"
SHEET = "contact-sheet.png"


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where results go.")],
    clip: Annotated[Path, typer.Option("--clip", help="A clip in the DAVIS layout.")] = CLIP,
) -> None:
    """Track the clip, score it, draw it."""
    show = Screen()
    frames = next((clip / "JPEGImages").iterdir())
    annotations = clip / "Annotations" / frames.name
    first = min(annotations.iterdir())
    tracked = track.TrackConfig(
        source=str(frames),
        prompts=collect([str(first)], [], 0),
        window=Window(),
        model="default",
        engine=None,
        options=EngineOptions(),
        max_objects=1,
        out=out,
        overwrite=True,
    )
    track.run(tracked, show)
    dataset = open_dataset("davis2016", clip)
    report = Report((score_folder(dataset.load(frames.name), out / MASKS),), {"clip": frames.name})
    show.result(report.to_json(), out / RESULT)
    show_report(report, "the demo's clip against its own masks", show)
    draw_sheet(frames, out, report)
    show.say(f"look at {out / OVERLAY} and {out / SHEET}")


def draw_sheet(frames: Path, out: Path, report: Report) -> None:
    """Twelve frames with their masks on one page, each with its J."""
    sheet = ContactSheet(12)
    with open_source(frames) as source:
        for frame in source:
            sheet.add(frame.index, frame.image, read_mask(out / MASKS / f"{frame.name}.png"))
    scores = report.sequences[0].objects[0]
    jaccard = {int(name): float(j) for name, j in zip(scores.frames, scores.j_frames, strict=True)}
    j, f = scores.j, scores.f
    assert j is not None
    assert f is not None
    title = f"{report.sequences[0].name}: J {100 * j.mean:.1f}, F {100 * f.mean:.1f}"
    sheet.write(out / SHEET, title, jaccard)


if __name__ == "__main__":
    typer.run(guarded(demo))
