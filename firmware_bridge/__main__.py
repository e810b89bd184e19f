"""What a board types: ``python -m edge_ttvos.firmware_bridge selftest|bench|run|doctor``.

Only the board's own part is needed: neither the command line nor the host's packages.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.errors import EdgeTtvosError, EngineError, MaskError
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.files import whole_file, write_json
from edge_ttvos.firmware_bridge.bench.config import BenchConfig
from edge_ttvos.firmware_bridge.bench.golden import bench_golden
from edge_ttvos.firmware_bridge.bench.run import run_bench
from edge_ttvos.firmware_bridge.diagnosis import diagnose
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.follow import RECORD, RESULTS, FollowRecord, check_prompts, follow
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.prompts import Box, Prompt, split_mask
from edge_ttvos.firmware_bridge.selftest import GoldenRun, require, selftest
from edge_ttvos.firmware_bridge.sources import Window, open_source
from edge_ttvos.firmware_bridge.tracker import Tracker

FAILED, INTERRUPTED = 1, 130  # exit codes; argparse ends with 2 where the command is mistyped
PROGRAM = "python -m edge_ttvos.firmware_bridge"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except EdgeTtvosError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    """The four commands."""
    whole = argparse.ArgumentParser(PROGRAM, description="Run a bundle on this board.")
    verbs = whole.add_subparsers(required=True, metavar="selftest|bench|run|doctor")
    test = verbs.add_parser("selftest", help="follow the golden clip and compare")
    test.add_argument("--dump", type=Path, metavar="FILE.npz", help="write masks, probabilities")
    test.set_defaults(command=run_selftest)
    bench = verbs.add_parser("bench", help="measure speed, memory and accuracy")
    bench.add_argument("--data", type=Path, metavar="DIR", help="default: only speed, golden clip")
    bench.add_argument("--sequences", metavar="a,b|FILE")
    bench.add_argument("--reference", type=Path, metavar="eval.json")
    bench.add_argument("--no-peers", action="store_true", help="measure the bundle alone")
    bench.add_argument("--float", metavar="BUNDLE", help="the network in float32, beside INT8")
    bench.set_defaults(command=run_benchmark)
    run = verbs.add_parser("run", help="follow an object through a video or a folder of images")
    run.add_argument("source", metavar="SOURCE")
    run.add_argument(
        "--mask", type=Path, metavar="PNG", help="mask of the first frame, indexed or plain"
    )
    run.add_argument("--box", metavar="X,Y,W,H", help="box in the first frame, in pixels")
    run.set_defaults(command=run_tracker)
    doctor = verbs.add_parser("doctor", help="what is installed, what is missing, what to type")
    doctor.add_argument("--json", type=Path, metavar="FILE", help="write the findings")
    doctor.set_defaults(command=run_doctor)
    for verb in (test, bench, run):
        verb.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder or .ettvos archive")
        verb.add_argument("--threads", type=int, metavar="N")
    for verb in (bench, run):
        verb.add_argument("--out", type=Path, required=True, metavar="DIR")
        verb.add_argument("--overwrite", action="store_true")
    return whole


def run_selftest(options: argparse.Namespace) -> None:
    """Print a line of JSON for each size; fails where the masks are not the expected ones."""
    runs = selftest(options.bundle, options.threads)
    for run in runs:
        print(json.dumps(run.to_json()))
    if options.dump is not None:
        dump(runs, options.dump)
    require(runs)


def dump(runs: Sequence[GoldenRun], path: Path) -> None:
    """Masks and probabilities of every size, for a comparison between machines."""
    arrays: dict[str, Any] = {}
    for run in runs:
        size = f"{run.size[0]}x{run.size[1]}"
        arrays |= {f"{size}.masks": run.masks, f"{size}.probabilities": run.probabilities}
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def run_benchmark(options: argparse.Namespace) -> None:
    """Measure, in plain lines; without data, speed alone."""
    config = BenchConfig(
        str(options.bundle),
        options.data or Path(),
        options.out,
        options.sequences,
        options.reference,
        options=EngineOptions(threads=options.threads),
        peers=not options.no_peers,
        float_bundle=options.float,
        overwrite=options.overwrite,
    )
    if options.data is not None:
        run_bench(config, Lines())
        return
    record = bench_golden(config)
    speed, frames = record["fps"]["end_to_end"], record["protocol"]["frames_timed"]
    print(f"{speed} frames/s end to end over {frames} frames; {options.out / 'bench.json'}")


def run_doctor(options: argparse.Namespace) -> None:
    """Say what is installed, a line a finding.

    Raises:
        EngineError: this installation cannot track.
    """
    diagnosis = diagnose()
    rows = [(check.name, check.mark, check.finding, check.advice) for check in diagnosis.checks]
    Lines().table("", ("what", "", "found", "what to do"), rows)
    if options.json is not None:
        write_json(options.json, diagnosis.to_json())
    if not diagnosis.can_track:
        raise EngineError(f"this cannot track yet; type: {'; '.join(diagnosis.remedies)}")


def run_tracker(options: argparse.Namespace) -> None:
    """Follow one object (a box) or several (an indexed mask) into ``--out``."""
    prompts = {0: first_prompts(options.mask, options.box)}
    with open_source(options.source) as source:
        slots = len(prompts[0])
        check_prompts(prompts, source, Window(), slots)
        engine_options = EngineOptions(threads=options.threads)
        tracker = Tracker.open(str(options.bundle), None, slots, engine_options)
        with closing(tracker):
            keep = (options.source, options.bundle)
            prepare_folder(options.out, RESULTS, options.overwrite, keep=keep)
            record = FollowRecord(source.name, source.size)
            follow(tracker, source, prompts, options.out, record)
            write_json(options.out / RECORD, record.to_json(tracker))
    speed = record.latencies.to_json()["fps"]
    print(f"{record.frames} frames, {speed['end_to_end']} frames/s; results in {options.out}")


def first_prompts(mask: Path | None, box: str | None) -> dict[int, Prompt]:
    """What the user points at, by object id.

    Raises:
        MaskError: neither or both are given, or cannot be read.
    """
    if (mask is None) == (box is None):
        raise MaskError("point at the object with either --mask PNG or --box X,Y,W,H")
    if mask is not None:
        return {**split_mask(read_mask(mask))}
    try:
        x, y, width, height = (float(part) for part in str(box).split(","))
    except ValueError:
        raise MaskError(f"--box must be X,Y,W,H in pixels; got {box}") from None
    return {1: Box(x, y, width, height)}


class Lines:
    """Shows a benchmark as plain lines."""

    def say(self, text: str, verbosity: int = 0) -> None:
        """A line."""
        if verbosity < 1:
            print(text, flush=True)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False
    ) -> None:
        """Columns as wide as their widest cell."""
        cells = [columns, *rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        print(title)
        for row in cells:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))

    @contextmanager
    def progress(self, task: str) -> Iterator[Lines]:
        """The task itself."""
        yield self

    def update(self, share: float | None, note: str = "") -> None:
        """A counter on the error stream."""
        print(f"\r{0 if share is None else share:4.0%} {note:40.40}", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
