"""edgetpu_compiler, where it is installed; where not, why not."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge_ttvos.errors import ExportError
from edge_ttvos.firmware_bridge.bundle.paths import compiled_path
from edge_ttvos.targets.edgetpu.log import CompilerLog, parse_log

COMMAND = "edgetpu_compiler"
PLATFORM = "x86_64"  # the only one that it was ever built for
PATIENCE = 900  # seconds; the compiler gives up by itself after 180


@dataclass(frozen=True)
class Compiled:
    """A graph for the Edge TPU, and what the compiler said of it."""

    file: Path
    log: CompilerLog


def absence() -> str | None:
    """Why nothing can be compiled here; None if it can."""
    if shutil.which(COMMAND):
        return None
    here = platform.machine()
    place = "" if here == PLATFORM else f", and this machine is {here}"
    return (
        f"{COMMAND} is not on PATH: nothing was compiled; the graphs are judged by published "
        f"limits and run on the CPU. Its makers offer it for x86-64 Linux only{place}: "
        "coral.ai/docs/edgetpu/compiler"
    )


def compile_graph(path: Path, folder: Path) -> Compiled:
    """Compile an 8-bit graph into a folder.

    Raises:
        ExportError: the compiler fails, or says what cannot be read.
    """
    command = [COMMAND, "-s", "-o", str(folder), str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExportError(f"{COMMAND} could not be run on {path.name}: {error}") from error
    log = parse_log(done.stdout + done.stderr)
    file = folder / compiled_path(path.name)
    if done.returncode or not file.is_file():
        raise ExportError(
            f"{COMMAND} {log.version} must leave {file.name} and end with 0; it ended with "
            f"{done.returncode}. Try it by hand: {' '.join(command)}"
        )
    return Compiled(file, log)
