"""``edge-ttvos track``: follow objects through a video or a folder of images."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.options import (
    EngineOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    QuietOption,
    SizeOption,
    ThreadsOption,
    VerboseOption,
    engine_options,
    screen,
)
from edge_ttvos.cli.process import held
from edge_ttvos.cli.prompts import collect
from edge_ttvos.cli.record import recorded
from edge_ttvos.cli.speed import show_model, show_speed
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.follow import (
    MASKS,
    OVERLAY,
    RECORD,
    RESULTS,
    FollowRecord,
    Prompts,
    check_prompts,
    follow,
)
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.prompts import MAX_ID
from edge_ttvos.firmware_bridge.sources import Source, Window, open_source
from edge_ttvos.firmware_bridge.tracker import DEFAULT_MAX_OBJECTS, Tracker


@dataclass(frozen=True)
class TrackConfig:
    """What ``track`` was asked for."""

    source: str
    prompts: Prompts
    window: Window
    model: str
    engine: str | None
    options: EngineOptions
    max_objects: int
    out: Path
    overwrite: bool


def track(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Video file or image folder.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Gets masks/, overlay.mp4, track.json.")
    ],
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="[K:]PNG",
            help="Mask of object K, or indexed; K@F: from frame F.",
        ),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option("--box", metavar="X,Y,W,H", help="Box in pixels; K: and K@F: as with --mask."),
    ] = None,
    model: ModelOption = "default",
    engine: EngineOption = None,
    size: SizeOption = None,
    threads: ThreadsOption = None,
    max_objects: Annotated[
        int,
        typer.Option("--max-objects", metavar="N", min=1, max=MAX_ID, help="Slots of the arena."),
    ] = DEFAULT_MAX_OBJECTS,
    start: Annotated[
        int, typer.Option("--start", metavar="N", min=0, help="First frame, from 0.")
    ] = 0,
    end: Annotated[
        int | None, typer.Option("--end", metavar="N", min=1, help="Frame before which to stop.")
    ] = None,
    stride: Annotated[
        int, typer.Option("--stride", metavar="N", min=1, help="Read every N-th frame.")
    ] = 1,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Follow objects pixel by pixel through a video file or a folder of images."""
    if end is not None and end <= start:
        raise typer.BadParameter(f"{end} must be greater than --start {start}", param_hint="--end")
    options = engine_options(size, threads)
    with screen(json, verbose, quiet) as show:
        config = TrackConfig(
            source,
            collect(mask or [], box or [], start),
            Window(start, end, stride),
            model,
            engine,
            options,
            max_objects,
            out,
            overwrite,
        )
        run(config, show)


def run(config: TrackConfig, show: Screen) -> FollowRecord:
    """Track, keep ``track.json`` true whatever happens, show the table."""
    window = config.window
    with open_source(config.source, window.start, window.end, window.stride) as source:
        check_prompts(config.prompts, source, window, config.max_objects)
        with held():
            tracker = Tracker.open(config.model, config.engine, config.max_objects, config.options)
        with closing(tracker):
            prepare_folder(
                config.out, RESULTS, config.overwrite, keep=(config.source, config.model)
            )
            record = FollowRecord(source.name, source.size)
            show_model(show, tracker)
            with recorded(show, config.out / RECORD, lambda why: record.to_json(tracker, why)):
                track_all(tracker, source, config, record, show)
            show_record(record, record.to_json(tracker), config.out, show)
    return record


def track_all(
    tracker: Tracker, source: Source, config: TrackConfig, record: FollowRecord, show: Screen
) -> None:
    """Follow the source to its end, with progress."""
    with show.progress(f"track {source.name}") as line:
        follow(
            tracker,
            source,
            config.prompts,
            config.out,
            record,
            lambda frames: line.update(_share(frames, source), f"frame {frames}"),
        )


def show_record(record: FollowRecord, result: dict[str, Any], out: Path, show: Screen) -> None:
    """What became of each object, how fast it was, and where the results are."""
    rows = [
        (str(i), o.given, str(o.frames), str(o.lost_frames), o.last_seen or "—")
        for i, o in record.objects.items()
    ]
    show.table(
        f"{record.source}: {record.frames} frames",
        ("object", "given at", "frames", "out of sight", "last seen"),
        rows,
    )
    show_speed(show, result)
    show.say(f"masks in {out / MASKS}, video in {out / OVERLAY}")


def _share(frames: int, source: Source) -> float | None:
    return None if source.length is None else frames / source.length
