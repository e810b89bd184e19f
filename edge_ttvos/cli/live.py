"""``edge-ttvos live``: follow objects on a camera, pointed at in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import STDOUT, Screen
from edge_ttvos.cli.options import (
    EngineOption,
    JsonOption,
    QuietOption,
    SizeOption,
    ThreadsOption,
    VerboseOption,
    engine_options,
    parse_size,
    screen,
)
from edge_ttvos.cli.prompts import collect
from edge_ttvos.firmware_bridge.live.run import LiveConfig, run_live
from edge_ttvos.firmware_bridge.prompts import MAX_ID, Prompt
from edge_ttvos.firmware_bridge.sources.camera import CameraOptions
from edge_ttvos.firmware_bridge.sources.cameras import is_recording
from edge_ttvos.firmware_bridge.tracker import DEFAULT_MAX_OBJECTS

PORT = 8080


def live(
    source: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="S",
            help="picamera2, v4l2:0, gstreamer:PIPELINE, rtsp://…, http://…, a file or a folder.",
        ),
    ],
    bundle: Annotated[
        str,
        typer.Option("--bundle", "--model", metavar="BUNDLE", help="Or what --model takes."),
    ] = "default",
    web: Annotated[
        int | None,
        typer.Option("--web", metavar="PORT", min=0, max=65535, help=f"The page's; usual: {PORT}."),
    ] = None,
    bind: Annotated[
        str, typer.Option("--bind", metavar="ADDR", help="The page's address; 0.0.0.0: all.")
    ] = "127.0.0.1",
    window: Annotated[bool, typer.Option("--window", help="A window instead of the page.")] = False,
    results: Annotated[
        str | None,
        typer.Option("--results", metavar="-|FILE|udp://HOST:PORT", help="One JSON line a frame."),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option("--mask", metavar="[K:]PNG", help="Follow this from the first frame on."),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option("--box", metavar="[K:]X,Y,W,H", help="Likewise; without --web: no page."),
    ] = None,
    camera_size: Annotated[
        str | None, typer.Option("--camera-size", metavar="HxW", help="Asked of the camera.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", metavar="N", min=0.1, max=1000, help="Likewise.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file or a folder anew.")] = False,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Of a file or a folder: drop none, wait.")
    ] = False,
    recordings: Annotated[
        Path, typer.Option("--recordings", metavar="DIR", help="Where recordings go.")
    ] = Path("recordings"),
    record: Annotated[bool, typer.Option("--record", help="Record from the start.")] = False,
    engine: EngineOption = None,
    size: SizeOption = None,
    threads: ThreadsOption = None,
    max_objects: Annotated[
        int,
        typer.Option("--max-objects", metavar="N", min=1, max=MAX_ID, help="Slots of the arena."),
    ] = DEFAULT_MAX_OBJECTS,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Follow objects on a camera: open the page, draw a box, watch the mask stay on it."""
    if every_frame and not is_recording(source):
        raise typer.BadParameter("a camera does not wait", param_hint="--every-frame")
    if results == str(STDOUT) and json == STDOUT:
        raise typer.BadParameter("stdout is taken by --results", param_hint="--json")
    wanted = None if camera_size is None else parse_size(camera_size, "--camera-size")
    given = bool(mask or box)
    no_page = window or (given and results is not None)
    config = LiveConfig(
        source=source,
        camera=CameraOptions(wanted, fps, loop),
        first=_first(mask or [], box or []) if given else {},
        model=bundle,
        engine=engine,
        options=engine_options(size, threads),
        max_objects=max_objects,
        port=PORT if web is None and not no_page else web,
        bind=bind,
        window=window,
        results=results,
        recordings=recordings,
        record=record,
        keep_all=every_frame,
    )
    with screen(json, verbose, quiet) as show:
        run(config, show)


def _first(masks: list[str], boxes: list[str]) -> Mapping[int, Prompt]:
    prompts = collect(masks, boxes, 0)
    if later := [frame for frame in prompts if frame]:
        raise typer.BadParameter(
            f"@{later[0]}: live takes objects at its first frame alone; leave the @ out, or point "
            "on the page",
            param_hint="--mask, --box",
        )
    return prompts[0]


def run(config: LiveConfig, show: Screen) -> None:
    """Follow until the end, show what it came to; a signal ends it with 130, as everywhere."""

    def tell(line: str) -> None:
        typer.echo(f"edge-ttvos: {line}", err=True)

    record = run_live(config, tell)
    show.result(record)
    if str(config.results) != str(STDOUT):
        show_record(record, show)
    if record["signal"] is not None:
        raise KeyboardInterrupt(*(() if record["signal"] == "SIGINT" else (record["signal"],)))


def show_record(record: dict[str, Any], show: Screen) -> None:
    """Frames and latency of the whole run."""
    frames, latency = record["frames"], record["latency_ms"]
    show.table(
        f"{record['source']}: {record['seconds']} s, {record['fps']} frames/s",
        ("frames in", "followed", "dropped", "p50 ms", "p95 ms", "p99 ms"),
        [
            (
                *(str(frames[key]) for key in ("received", "processed", "dropped")),
                *("—" if mark is None else f"{mark:.1f}" for mark in latency.values()),
            )
        ],
    )
