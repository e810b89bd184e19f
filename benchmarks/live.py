"""How fast live is, with the page closed and open, and what dropping frames costs.

    python benchmarks/live.py speed --clip FOLDER [--model BUNDLE] [--seconds 60] [--no-browser]
    python benchmarks/live.py drops --root DAVIS [--model BUNDLE] [--sequences a,b] [--fps 30]

speed: an MJPEG stream at 30 frames/s over loopback, one object. Processes' shares of a core from
/proc, memory once a second. drops: every sequence played once, against all of its frames (whose
masks are ``track``'s, bit by bit: tests/cli/test_live.py).
"""

from __future__ import annotations

import json as jsonlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.evaluation.datasets import open_dataset, parse_sequences
from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.latency import Histogram
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.protocol import bare_protocol

LIVE = (sys.executable, "-m", "edge_ttvos.cli", "live")
SERVE = Path(__file__).resolve().parent.parent / "examples" / "serve_clip.py"
FPS = "30"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
WARM_UP = 5.0  # seconds
MEASURED = ("tracker and page", "camera")  # their memory

app = typer.Typer(add_completion=False)


@contextmanager
def child(*command: str, until: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, and the URL that it prints behind ``until``."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            if not (line := process.stdout.readline()):
                raise SystemExit(f"{command} ended")
            found = re.search(until + r"(http://\S+)", line)
        yield process, found[1]
        if process.poll() is None:
            process.terminate()
        process.communicate()


@contextmanager
def page(url: str) -> Iterator[int | None]:
    """The page open in Chromium; the driver's process."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "window-size=1280,860"):
        options.add_argument(f"--{flag}")
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    browser = webdriver.Chrome(options, service)
    try:
        browser.get(url)
        yield service.process.pid
    finally:
        browser.quit()


class Family:
    """A process and all that descend from it, as long as they live.

    Args:
        pid: the process.
        alone: without its descendants.
    """

    def __init__(self, pid: int | None, alone: bool = False) -> None:
        self._pid, self._alone = pid, alone

    def seconds(self) -> float:
        """Of processor time so far."""
        return sum(sum(map(int, _stat(pid)[11:13])) for pid in self._members()) / TICKS

    def resident(self) -> int:
        """Bytes of memory; what they share is counted for each."""
        stats = (_stat(pid) for pid in self._members())
        return sum(int(fields[21]) for fields in stats if fields) * PAGE_SIZE

    def _members(self) -> list[int]:
        if self._pid is None:
            return []
        return [self._pid] if self._alone else _descendants(self._pid)


def _descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += parents.get(member, [])
    return found


def _stat(pid: int | None) -> list[str]:
    """Fields from the state on, proc(5)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def watch(families: dict[str, Family], lines: Path, seconds: float) -> dict[str, Any]:
    """What happens in so many seconds."""
    skip = lines.stat().st_size
    before = {name: family.seconds() for name, family in families.items()}
    begin = time.monotonic()
    memory: dict[str, list[int]] = {name: [] for name in MEASURED}
    while time.monotonic() - begin < seconds:
        time.sleep(1)
        for name, resident in memory.items():
            resident.append(families[name].resident())
    passed = time.monotonic() - begin
    shares = {n: (f.seconds() - before[n]) / passed for n, f in families.items()}
    with lines.open("rb") as file:
        file.seek(skip)
        results = [jsonlib.loads(line) for line in file.read().splitlines()[1:-1]]
    latency = Histogram()
    for result in results:
        latency.add(result["latency_ms"])
    numbers = [result["frame"] for result in results]
    return {
        "seconds": round(passed, 1),
        "fps": round(len(results) / passed, 2),
        "frames_in": numbers[-1] - numbers[0] + 1,
        "frames_followed": len(numbers),
        "latency_ms": {f"p{p}": round(latency.percentile(p / 100) or 0, 1) for p in (50, 95, 99)},
        "cores": {name: round(share, 3) for name, share in shares.items()},
        "rss": {name: grown(resident) for name, resident in memory.items()},
    }


def grown(resident: Sequence[int]) -> dict[str, float]:
    """Bytes at first, at last and at most, and how many a second are gained: least squares."""
    slope = float(np.polyfit(np.arange(len(resident)), resident, 1)[0])
    first, last, most = resident[0], resident[-1], max(resident)
    return {"first": first, "last": last, "most": most, "bytes_per_second": slope}


@app.command()
@guarded
def speed(
    clip: Annotated[Path, typer.Option("--clip", help="A folder of JPEGs.")],
    model: str = "default",
    seconds: Annotated[float, typer.Option(min=5)] = 60,
    box: Annotated[str, typer.Option(help="X,Y,W,H in whatever frame comes first.")] = "",
    browser: Annotated[bool, typer.Option("--browser/--no-browser")] = True,
    threads: int | None = None,
    json: Path | None = None,
) -> None:
    """Frames/s, latency, shares of a core and memory, with the page closed, then open."""
    show = Screen(json)
    more = () if threads is None else ("--threads", str(threads))
    serve = (sys.executable, str(SERVE), str(clip), "--fps", FPS, "--port", "0")
    with tempfile.TemporaryDirectory() as folder, child(*serve, until="--source ") as (_, camera):
        lines = Path(folder) / "lines.jsonl"
        where = ("--source", camera, "--web", "0", "--results", str(lines))
        what = ("--model", model, "--box", box or "200,150,300,200", *more)
        with child(*LIVE, *where, *what, until="page: ") as (process, url):
            time.sleep(WARM_UP)
            results = {}
            for name in ("closed", "open") if browser else ("closed",):
                with page(url) if name == "open" else nullcontext() as driver:
                    time.sleep(WARM_UP)
                    families = {
                        "tracker and page": Family(process.pid, alone=True),
                        "camera": Family(_descendants(process.pid)[1], alone=True),
                        "all but the browser": Family(process.pid),
                        "browser": Family(driver),
                    }
                    results[name] = watch(families, lines, seconds)
    show_speed(show, results)
    record = {"schema": 1, "complete": True, "page": results}
    show.result({**record, "protocol": bare_protocol(model=model, device=device())})


def show_speed(show: Screen, results: dict[str, Any]) -> None:
    """A column for the page closed, and one for it open."""
    every = results.values()
    rows = [
        ("frames/s", *(str(r["fps"]) for r in every)),
        ("frames in", *(str(r["frames_in"]) for r in every)),
        ("followed", *(str(r["frames_followed"]) for r in every)),
        *(
            (f"capture to mask {mark}, ms", *(str(r["latency_ms"][mark]) for r in every))
            for mark in ("p50", "p95", "p99")
        ),
        *(
            (f"cores: {name}", *(str(r["cores"][name]) for r in every))
            for name in next(iter(every))["cores"]
        ),
        *(
            (f"MiB {when}: {name}", *(f"{r['rss'][name][when] / 2**20:.2f}" for r in every))
            for name in MEASURED
            for when in ("first", "last", "most")
        ),
        *(
            (f"bytes/s: {name}", *(f"{r['rss'][name]['bytes_per_second']:.0f}" for r in every))
            for name in MEASURED
        ),
    ]
    show.table("live", ("", *(f"page {name}" for name in results)), rows)


@app.command()
@guarded
def drops(
    root: Annotated[Path, typer.Option("--root", help="A data set in the DAVIS layout.")],
    model: str = "default",
    sequences: str | None = None,
    fps: float = 30,
    threads: int | None = None,
    json: Path | None = None,
) -> None:
    """J of all frames with drops off, and of the followed ones with drops on."""
    names = None if sequences is None else parse_sequences(sequences)
    dataset = open_dataset("davis2016", root, names)
    more = ("--model", model, "--fps", str(fps))
    more += () if threads is None else ("--threads", str(threads))
    show, results = Screen(json), {}
    with show.progress("drops") as line:
        for index, sequence in enumerate(dataset):
            line.update(index / len(dataset), sequence.name)
            truth = [sequence.read(sequence.annotations[f.stem]) > 0 for f in sequence.frames]
            source = ("--source", str(sequence.frames[0].parent))
            mask = ("--mask", str(sequence.annotations[sequence.frames[0].stem]))
            results[sequence.name] = {
                "every_frame": replay((*source, *mask, *more, "--every-frame"), truth),
                "newest_frame": replay((*source, *mask, *more), truth),
            }
    rows = [
        (name, *cells(r["every_frame"]), *cells(r["newest_frame"])) for name, r in results.items()
    ]
    columns = ("sequence", "frames", "J", "followed", "J followed")
    show.table(f"at {fps:g} frames/s", columns, rows)
    record = {"schema": 1, "complete": True, "fps": fps, "sequences": results}
    show.result({**record, "protocol": bare_protocol(model=model, device=device())})


def cells(result: dict[str, Any]) -> tuple[str, str]:
    """Frames and J."""
    return str(result["frames"]), f"{result['J']:.1f}"


def replay(options: Sequence[str], truth: Sequence[Any]) -> dict[str, Any]:
    """Play a sequence once; J in percent of the frames that were followed, the first left out."""
    with tempfile.TemporaryDirectory() as folder:
        tapes = Path(folder) / "tapes"
        record = ("--record", "--recordings", str(tapes), "--results", f"{folder}/lines")
        subprocess.run([*LIVE, *options, *record, "--quiet"], check=True)
        (tape,) = tapes.iterdir()
        masks = {int(path.stem): read_mask(path) > 0 for path in (tape / "masks").iterdir()}
    first = min(masks)
    scores = [jaccard(mask, truth[number]) for number, mask in masks.items() if number != first]
    return {"frames": len(masks), "J": 100 * float(np.mean(scores))}


if __name__ == "__main__":
    app()
