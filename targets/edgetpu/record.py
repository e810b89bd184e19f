"""What a survey of the Edge TPU found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_ttvos.targets.constraints import MAPS, Verdict
from edge_ttvos.targets.edgetpu.log import CompilerLog
from edge_ttvos.targets.edgetpu.mapping import (
    ON_CHIP,
    VERDICTS,
    GraphMapping,
    contradictions,
    reasons,
)

NAME = "Edge TPU"

Size = tuple[int, int]


@dataclass(frozen=True)
class SizeSurvey:
    """One size of the frame.

    Attributes:
        size: height and width in pixels.
        graphs: what is judged of each.
        logs: what the compiler says of each; empty where it is not installed.
        copies: whether 8-bit copies of float graphs were judged.
    """

    size: Size
    graphs: tuple[GraphMapping, ...]
    logs: tuple[CompilerLog, ...]
    copies: bool

    def share(self, verdict: Verdict, of: str, together: bool = True) -> float:
        """Share of all graphs' ``operators`` or ``macs`` that have a verdict, 0…1."""
        tables = [graph.together if together else graph.alone for graph in self.graphs]
        every = sum(getattr(share, of) for table in tables for share in table.values())
        return float(sum(getattr(table[verdict], of) for table in tables) / every)

    def cell(self, verdict: Verdict, together: bool) -> str:
        """Both shares, for people."""
        shares = (self.share(verdict, of, together) for of in ("operators", "macs"))
        return ", ".join(f"{share:.1%}" for share in shares)

    @property
    def parameter_bytes(self) -> int:
        """Of all graphs: they share the Edge TPU's memory."""
        return sum(graph.parameter_bytes for graph in self.graphs)

    @property
    def largest_bytes(self) -> int:
        """Of the largest tensor."""
        return max(graph.largest_bytes for graph in self.graphs)

    @property
    def contradictions(self) -> list[str]:
        """Where the compiler maps less than was judged."""
        pairs = zip(self.graphs, self.logs, strict=False)
        return [line for graph, log in pairs for line in contradictions(graph, log)]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "size": list(self.size),
            "judged": "8-bit copies" if self.copies else "the bundle's graphs",
            "share": {
                part: {
                    of: {v: round(self.share(v, of, part == "together"), 4) for v in VERDICTS}
                    for of in ("operators", "macs")
                }
                for part in ("alone", "together")
            },
            "graphs": [graph.to_json() for graph in self.graphs],
            "parameter_bytes": self.parameter_bytes,
            "fits_on_chip": self.parameter_bytes <= ON_CHIP,
            "compiler": [log.to_json() for log in self.logs],
            "contradictions": self.contradictions,
        }


@dataclass(frozen=True)
class Survey:
    """All sizes that were looked at, and why nothing was compiled (None: it was)."""

    sizes: tuple[SizeSurvey, ...]
    absence: str | None

    @property
    def best(self) -> SizeSurvey:
        """Where most multiply-accumulates map as one part; of equals, the largest size."""
        return max(self.sizes, key=lambda s: (round(s.share(MAPS, "macs"), 4), s.size))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "accelerator": NAME,
            "compiler": self.absence or "installed",
            "best_size": list(self.best.size),
            "sizes": [size.to_json() for size in self.sizes],
        }

    def table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
        """Title, columns and two rows a size, for people."""
        columns = ("size", "operators judged", *VERDICTS)
        rows = [
            (f"{it.size[0]}x{it.size[1]}", name, *(it.cell(v, together) for v in VERDICTS))
            for it in self.sizes
            for name, together in (("each alone", False), ("as one part", True))
        ]
        return f"{NAME}: share of operators, of multiply-accumulates", columns, rows

    def notes(self) -> list[str]:
        """What else people should know."""
        best = self.best
        findings = [finding for graph in best.graphs for finding in graph.findings]
        lines = [
            f"{it['count']} {it['operator']} {it['verdict']}: {it['message']}"
            for it in reasons(findings)
        ]
        lines += [line for size in self.sizes for line in size.contradictions]
        lines.append(
            f"most maps at {best.size[0]}x{best.size[1]}: {best.parameter_bytes / 1e6:.1f} MB of "
            f"weights for {ON_CHIP / 1e6:.0f} MB on the chip, the largest tensor has "
            f"{best.largest_bytes / 1e6:.1f} MB"
        )
        if any(size.copies for size in self.sizes):
            lines.append("judged were 8-bit copies: the bundle's graphs are float32, for the CPU")
        return [*lines, *filter(None, [self.absence])]
