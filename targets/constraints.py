"""Limits of a target's engines, as small functions; what a graph breaks of them.

A constraint's docstring is the message that people see and a row of the supported-ops page. What no
constraint knows is ``unknown``, never ``maps``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edge_ttvos.errors import EngineError
from edge_ttvos.targets.operators import read_operators
from edge_ttvos.targets.operators.base import Operator, Operators
from edge_ttvos.targets.operators.wiring import Wiring

if TYPE_CHECKING:
    from edge_ttvos.targets.base import Target

Verdict = Literal["maps", "does not map", "unknown"]

MAPS: Verdict = "maps"
DOES_NOT_MAP: Verdict = "does not map"
UNKNOWN: Verdict = "unknown"


@dataclass(frozen=True)
class Constraint:
    """One limit.

    Attributes:
        name: of the function.
        message: its docstring on one line.
        judge: verdicts on a graph, one an operator, or a single one if ``whole``.
        whole: whether it judges the graph and not its operators.
    """

    name: str
    message: str
    judge: Callable[[Operators], Sequence[Verdict]]
    whole: bool


@dataclass(frozen=True)
class Finding:
    """What a constraint says of an operator.

    Attributes:
        file: name of the graph's file.
        index: the operator's place in the graph; None: it is about the whole graph.
        operator: its kind in the format's own name; empty for the whole graph.
        verdict: ``maps`` only if every constraint says so.
        message: the constraint's; empty where the operator maps.
    """

    file: str
    index: int | None
    operator: str
    verdict: Verdict
    message: str = ""


def each_operator(judge: Callable[[Operator], Verdict]) -> Constraint:
    """Make a constraint of a function that judges one operator.

    Raises:
        ValueError: it has no docstring to show.
    """
    return Constraint(judge.__name__, _message(judge), lambda ops: [judge(o) for o in ops], False)


def wired_operator(judge: Callable[[Operator, Wiring], Verdict]) -> Constraint:
    """Make a constraint of a function that judges one operator by what stands around it.

    Raises:
        ValueError: it has no docstring to show.
    """

    def every(operators: Operators) -> Sequence[Verdict]:
        wiring = Wiring(operators)
        return [judge(operator, wiring) for operator in operators]

    return Constraint(judge.__name__, _message(judge), every, False)


def whole_graph(judge: Callable[[Operators], Verdict]) -> Constraint:
    """Make a constraint of a function that judges all operators of a graph together.

    Raises:
        ValueError: it has no docstring to show.
    """
    return Constraint(judge.__name__, _message(judge), lambda ops: [judge(ops)], True)


def _message(judge: Callable[..., Verdict]) -> str:
    if not judge.__doc__:
        raise ValueError(f"constraint {judge.__name__} needs a docstring: users read it")
    return " ".join(judge.__doc__.split())


def check(target: Target, engine: str, files: Iterable[Path]) -> list[Finding]:
    """Hold exported graphs to a target's constraints.

    Args:
        target: board.
        engine: one of the target's.
        files: graphs; files that stand beside one, such as OpenVINO's weights, are not named.

    Returns:
        At least one finding for every operator, in the order of files and operators; for the whole
        graph only where it does not map.

    Raises:
        EngineError: the target does not run this engine, or a reader is not installed.
        ModelError: a file cannot be read.
    """
    if engine not in target.engines:
        raise EngineError(
            f"target {target.name} runs {', '.join(target.engines)}; got engine {engine!r}"
        )
    constraints = target.constraints[engine]
    return [
        finding
        for path in files
        for finding in judged(path.name, read_operators(path), constraints)
    ]


def judged(file: str, operators: Operators, constraints: Iterable[Constraint]) -> list[Finding]:
    """What constraints say of one graph."""
    broken: dict[int, list[Finding]] = {}
    about_all = []
    for constraint in constraints:
        verdicts = constraint.judge(operators)
        for index, verdict in enumerate(verdicts):
            if verdict == MAPS:
                continue
            if constraint.whole:
                about_all.append(Finding(file, None, "", verdict, constraint.message))
            else:
                kind = operators[index].kind
                finding = Finding(file, index, kind, verdict, constraint.message)
                broken.setdefault(index, []).append(finding)
    found = []
    for index, operator in enumerate(operators):
        found += broken.get(index, [Finding(file, index, operator.kind, MAPS)])
    return found + about_all


def problems(findings: Iterable[Finding]) -> list[Finding]:
    """Those that do not map, and those of which nobody knows."""
    return [finding for finding in findings if finding.verdict != MAPS]
