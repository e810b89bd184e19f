"""``edge-ttvos bench``: speed, memory and accuracy of a bundle on this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli.options import (
    EngineOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SizeOption,
    ThreadsOption,
    VerboseOption,
    engine_options,
    screen,
)
from edge_ttvos.cli.process import held
from edge_ttvos.cli.record import recorded
from edge_ttvos.cli.score import SequencesOption
from edge_ttvos.firmware_bridge.bench.config import BenchConfig, Surroundings
from edge_ttvos.firmware_bridge.bench.run import run_bench


def bench(
    bundle: Annotated[
        str,
        typer.Argument(
            metavar="BUNDLE",
            help="A bundle's folder or .ettvos file; or what --model takes elsewhere.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", help="Holds davis2016/ and, for the peer, peers/."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where bench.json and bench.png go.")
    ],
    sequences: SequencesOption = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="FILE",
            help="The float model's eval.json; default: the bundle's own figures.",
        ),
    ] = None,
    engine: EngineOption = None,
    size: SizeOption = None,
    threads: ThreadsOption = None,
    peers: Annotated[
        bool, typer.Option("--peers/--no-peers", help="Measure PyTorch and NanoTrack beside it.")
    ] = True,
    float_bundle: Annotated[
        str | None,
        typer.Option(
            "--float",
            metavar="BUNDLE",
            help="Its network in float32 for the same engine, beside INT8 by turns.",
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Measure a bundle here: frames a second, latency by stage, memory, J&F and its loss."""
    config = BenchConfig(
        model=bundle,
        data=data,
        out=out,
        sequences=sequences,
        reference=reference,
        engine=engine,
        options=engine_options(size, threads),
        peers=peers,
        float_bundle=float_bundle,
        overwrite=overwrite,
    )
    with screen(json, verbose, quiet) as show:
        run_bench(config, show, Surroundings(partial(recorded, show), held))
