"""``edge-ttvos track``: follow objects through a video or a folder of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import reason
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
from edge_ttvos.cli.prompts import collect
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
        int, typer.Option("--max-objects", metavar="N", min=1, help="Slots of the arena.")
    ] = DEFAULT_MAX_OBJECTS,
    start: Annotated[int, typer.Option("--start", help="First frame, from 0.")] = 0,
    end: Annotated[int | None, typer.Option("--end", help="Frame before which to stop.")] = None,
    stride: Annotated[int, typer.Option("--stride", help="Read every N-th frame.")] = 1,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Follow objects pixel by pixel through a video file or a folder of images."""
    window = Window(start, end, stride)
    config = TrackConfig(
        source,
        collect(mask or [], box or [], start),
        window,
        model,
        engine,
        engine_options(size, threads),
        max_objects,
        out,
        overwrite,
    )
    run(config, screen(json, verbose, quiet))


def run(config: TrackConfig, show: Screen) -> FollowRecord:
    """Track, write ``track.json`` whatever happens, show the table."""
    window = config.window
    with open_source(config.source, window.start, window.end, window.stride) as source:
        check_prompts(config.prompts, source, window)
        tracker = Tracker.open(config.model, config.engine, config.max_objects, config.options)
        prepare_folder(config.out, RESULTS, config.overwrite)
        record = FollowRecord(source.name, source.size)
        try:
            with show.progress(f"track {source.name}") as line:
                follow(
                    tracker,
                    source,
                    config.prompts,
                    config.out,
                    record,
                    lambda frames: line.update(_share(frames, source), f"frame {frames}"),
                )
        except BaseException as error:
            show.result(record.to_json(tracker, reason(error)), config.out / RECORD)
            raise
        finally:
            tracker.close()
        result = record.to_json(tracker)
    show.result(result, config.out / RECORD)
    rows = [
        (str(i), o.given, str(o.frames), str(o.lost_frames), o.last_seen or "—")
        for i, o in record.objects.items()
    ]
    show.table(
        f"{record.source}: {record.frames} frames",
        ("object", "given at", "frames", "out of sight", "last seen"),
        rows,
    )
    show.say(
        f"{result['fps']['end_to_end']} frames/s end to end, {result['fps']['model']} model only, "
        f"at {result['protocol']['resolution']} ({result['protocol']['engine']}, "
        f"{result['protocol']['threads']} threads); {result['protocol']['timed']}"
    )
    show.say(f"masks in {config.out / MASKS}, video in {config.out / OVERLAY}")
    return record


def _share(frames: int, source: Source) -> float | None:
    return None if source.length is None else frames / source.length
