"""What edgetpu_compiler says of a graph: mapped operators, the CPU's with reasons, memory.

It prints a summary, and with ``-s`` a table of operators; the file ``*_edgetpu.log`` has the table
alone. Formats of the versions in ``VERSIONS``, as people show them in github.com/google-coral/
edgetpu/issues (427, 512, 572, 671). ``python -m`` with this module's name holds saved logs to
limits and fails where one is broken.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_ttvos.errors import EdgeTtvosError, ExportError

VERSIONS = ("14.1", "15.0", "16.0")
VERSION = re.compile(r"^Edge TPU Compiler version (\S+)$", re.MULTILINE)
HEADING = re.compile(r"^Operator +Count +Status$", re.MULTILINE)
ROW = re.compile(r"^(\S+) +(\d+) +(\S.*)$", re.MULTILINE)
FAILED = re.compile(r"^(Compilation failed.*|Internal compiler error.*|ERROR: .*)$", re.MULTILINE)
SIZE = re.compile(r"([\d.]+)(B|KiB|MiB|GiB)")
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
MAPPED = "Mapped to Edge TPU"

ON_CHIP = "On-chip memory used for caching model parameters"
OFF_CHIP = "Off-chip memory used for streaming uncached model parameters"
SUBGRAPHS = "Number of Edge TPU subgraphs"
TOTAL = "Total number of operations"
ADVICE = f"Install version {VERSIONS[-1]}, or deploy without the compiler on PATH"


@dataclass(frozen=True)
class Operation:
    """A line of the table: so many operators of a kind, and what becomes of them."""

    kind: str
    count: int
    status: str


@dataclass(frozen=True)
class CompilerLog:
    """What the compiler said of one graph; None where this form of the log does not tell.

    Attributes:
        version: of the compiler.
        operations: the table.
        on_chip_bytes: parameters kept in the Edge TPU's memory.
        off_chip_bytes: parameters sent to it again for every frame.
        subgraphs: parts of the graph that it runs.
    """

    version: str
    operations: tuple[Operation, ...]
    on_chip_bytes: int | None
    off_chip_bytes: int | None
    subgraphs: int | None

    @property
    def total(self) -> int:
        """Operators in all."""
        return sum(operation.count for operation in self.operations)

    @property
    def mapped(self) -> int:
        """Operators that the Edge TPU runs."""
        return sum(o.count for o in self.operations if o.status == MAPPED)

    def mapped_of(self, kind: str) -> int:
        """Those of one kind."""
        return sum(o.count for o in self.operations if (o.kind, o.status) == (kind, MAPPED))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"mapped": self.mapped, "total": self.total, **asdict(self)}


@dataclass(frozen=True)
class Limits:
    """What a compiled graph must keep to.

    Attributes:
        least_mapped: share of its operators that the Edge TPU must run, 0…1.
        most_off_chip: bytes of parameters that may be sent for every frame.
    """

    least_mapped: float = 0.0
    most_off_chip: int = 0

    def require(self, file: str, log: CompilerLog) -> None:
        """Raises:
        ExportError: too little is mapped, or too much does not fit on the chip.
        """
        share = log.mapped / log.total
        if not log.mapped or share < self.least_mapped:
            left = ", ".join(
                f"{o.count} {o.kind} ({o.status})" for o in log.operations if o.status != MAPPED
            )
            raise ExportError(
                f"{file}: the Edge TPU must run at least {self.least_mapped:.0%} of the operators; "
                f"it runs {log.mapped} of {log.total}. On the CPU stay {left}"
            )
        if log.off_chip_bytes is not None and log.off_chip_bytes > self.most_off_chip:
            raise ExportError(
                f"{file}: at most {self.most_off_chip} bytes of parameters may be streamed; got "
                f"{log.off_chip_bytes}. Deploy fewer graphs to one Edge TPU, or a smaller network"
            )


def parse_log(text: str) -> CompilerLog:
    """Read what the compiler printed, or its log file.

    Raises:
        ExportError: another version's, a failed compilation's, or an incomplete log.
    """
    version = _version(text)
    if failure := FAILED.search(text):
        raise ExportError(f"edgetpu_compiler {version} could not compile: {failure[1]}")
    heading = HEADING.search(text)
    table = ROW.findall(text, heading.end()) if heading else []
    log = CompilerLog(
        version,
        tuple(Operation(kind, int(count), status) for kind, count, status in table),
        _bytes(_field(text, ON_CHIP)),
        _bytes(_field(text, OFF_CHIP)),
        _number(_field(text, SUBGRAPHS)),
    )
    total = _number(_field(text, TOTAL))
    if not log.total or total not in (None, log.total):
        raise ExportError(
            f"a compiler log's table must list all operators ({total or 'at least one'}); got "
            f"{log.total}. Run edgetpu_compiler with -s and keep all that it prints"
        )
    return log


def _version(text: str) -> str:
    found = VERSION.search(text)
    if found is None:
        start = text.strip().splitlines()[:1] or ["nothing"]
        raise ExportError(
            f"a log must name its Edge TPU Compiler version; it begins with {start[0][:80]!r}. "
            f"{ADVICE}"
        )
    if ".".join(found[1].split(".")[:2]) not in VERSIONS:
        raise ExportError(
            f"logs of Edge TPU Compiler {', '.join(VERSIONS)} can be read; got version {found[1]}. "
            f"{ADVICE}"
        )
    return found[1]


def _field(text: str, name: str) -> str | None:
    found = re.search(rf"^{re.escape(name)}: (\S+)$", text, re.MULTILINE)
    return found[1] if found else None


def _number(value: str | None) -> int | None:
    return None if value is None else int(value)


def _bytes(value: str | None) -> int | None:
    if value is None:
        return None
    if not (found := SIZE.fullmatch(value)):
        raise ExportError(f"an amount of memory must be like 6.89MiB; got {value!r}. {ADVICE}")
    return round(float(found[1]) * UNITS[found[2]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold log files to limits; 1 if one is broken."""
    parser = argparse.ArgumentParser(description="Hold logs of edgetpu_compiler to limits.")
    parser.add_argument("logs", type=Path, nargs="+", metavar="LOG")
    parser.add_argument("--least-mapped", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--most-off-chip", type=int, default=0, metavar="BYTES")
    options = parser.parse_args(arguments)
    limits = Limits(options.least_mapped, options.most_off_chip)
    try:
        for path in options.logs:
            log = parse_log(path.read_text("utf-8", "replace"))
            print(f"{path}: {log.mapped} of {log.total} operators on the Edge TPU")
            limits.require(path.name, log)
    except (EdgeTtvosError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
