"""How much of a graph maps: every operator alone, and as the one part that the compiler takes.

The compiler puts one contiguous part of a graph on the Edge TPU, from its input on: what stands
behind an operator that stays on the CPU stays there too ("More than one subgraph is not
supported"). Conversions of type at the very beginning break nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_ttvos.targets.constraints import DOES_NOT_MAP, MAPS, UNKNOWN, Finding, Verdict, judged
from edge_ttvos.targets.edgetpu.log import CompilerLog
from edge_ttvos.targets.operators.base import Operand, Operators
from edge_ttvos.targets.operators.macs import macs
from edge_ttvos.targets.rules.edgetpu import CONSTRAINTS

CONVERSIONS = ("CAST", "QUANTIZE")
VERDICTS: tuple[Verdict, ...] = (MAPS, UNKNOWN, DOES_NOT_MAP)  # from good to bad
ON_CHIP = 8_000_000  # bytes of memory for parameters ("about 8 MB": coral.ai/docs/edgetpu/compiler)


@dataclass(frozen=True)
class Share:
    """Operators and multiply-accumulates of one verdict."""

    operators: int
    macs: int


@dataclass(frozen=True)
class GraphMapping:
    """What is known of one graph.

    Attributes:
        file: its name.
        alone: operators by verdict, each for itself.
        together: likewise as one part from the input on.
        kinds: how many operators of each kind map, as one part.
        findings: why an operator alone does not map, or why it is not known.
        parameter_bytes: of weights and biases.
        largest_bytes: of its largest tensor; compilations were seen to fail for "large activation
            tensors" (edgetpu #512), at no published number.
    """

    file: str
    alone: dict[Verdict, Share]
    together: dict[Verdict, Share]
    kinds: dict[str, int]
    findings: tuple[Finding, ...]
    parameter_bytes: int
    largest_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "file": self.file,
            "alone": {verdict: vars(share) for verdict, share in self.alone.items()},
            "together": {verdict: vars(share) for verdict, share in self.together.items()},
            "reasons": reasons(self.findings),
            "parameter_bytes": self.parameter_bytes,
            "largest_bytes": self.largest_bytes,
        }


def map_graph(file: str, operators: Operators) -> GraphMapping:
    """Judge a graph by the published limits.

    Args:
        file: its name, for the findings.
        operators: as LiteRT's reader lists them.
    """
    findings = [f for f in judged(file, operators, CONSTRAINTS) if f.index is not None]
    alone = [_worst([f.verdict for f in findings if f.index == i]) for i in range(len(operators))]
    together = reached(operators, alone)
    pairs = zip(operators, together, strict=True)
    return GraphMapping(
        file,
        shares(operators, alone),
        shares(operators, together),
        dict(Counter(operator.kind for operator, verdict in pairs if verdict == MAPS)),
        tuple(finding for finding in findings if finding.verdict != MAPS),
        parameter_bytes(operators),
        max(_nbytes(o) for operator in operators for o in operator.operands if not o.constant),
    )


def reached(operators: Operators, alone: Sequence[Verdict]) -> list[Verdict]:
    """Verdicts as one part from the input on: no better than those of the operators before.

    Args:
        operators: in the order of their running.
        alone: verdict of each.
    """
    computed: dict[str, Verdict] = {}  # by tensor; what is given to the graph is not in it
    found = []
    for operator, own in zip(operators, alone, strict=True):
        before = [computed[o.name] for o in operator.inputs if o.name in computed]
        found.append(_worst([own, *before]))
        if before or operator.kind not in CONVERSIONS:
            computed.update((output.name, found[-1]) for output in operator.outputs)
    return found


def shares(operators: Operators, verdicts: Sequence[Verdict]) -> dict[Verdict, Share]:
    """Operators and multiply-accumulates by verdict; every verdict is there."""
    pairs = list(zip(operators, verdicts, strict=True))
    return {
        verdict: Share(
            sum(it == verdict for _, it in pairs),
            sum(macs(operator) for operator, it in pairs if it == verdict),
        )
        for verdict in VERDICTS
    }


def parameter_bytes(operators: Operators) -> int:
    """Bytes of all constants that 8-bit codes or their biases are; settings are not counted."""
    constants = {o.name: o for operator in operators for o in operator.inputs if o.codes}
    return sum(_nbytes(o) for o in constants.values() if o.constant)


def _nbytes(operand: Operand) -> int:
    return math.prod(operand.shape or ()) * np.dtype(operand.dtype).itemsize


def contradictions(graph: GraphMapping, log: CompilerLog) -> list[str]:
    """Where the compiler maps fewer operators of a kind than were judged to map."""
    return [
        f"{graph.file}: {count} {kind} were judged to map; edgetpu_compiler {log.version} maps "
        f"{log.mapped_of(kind)}"
        for kind, count in graph.kinds.items()
        if log.mapped_of(kind) < count
    ]


def reasons(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings of the same operator, verdict and message counted together, the most first."""
    counted = Counter((f.operator, f.verdict, f.message) for f in findings)
    return [
        {"operator": operator, "verdict": verdict, "message": message, "count": count}
        for (operator, verdict, message), count in counted.most_common()
    ]


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=VERDICTS.index)
