from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.errors import EngineError, ModelError
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.constraints import (
    DOES_NOT_MAP,
    MAPS,
    UNKNOWN,
    Finding,
    Verdict,
    check,
    each_operator,
    judged,
    problems,
    whole_graph,
)
from edge_ttvos.targets.operators.base import Operand, Operator, Operators

VALUE = Operand((1, 4, 4, 2), "float32")
VERDICTS: dict[str, Verdict] = {"GOOD": MAPS, "BAD": DOES_NOT_MAP}


def graph(*kinds: str) -> Operators:
    return tuple(Operator(kind, (VALUE,), (VALUE,), {}, "builtin", 1) for kind in kinds)


@each_operator
def known_kind(operator: Operator) -> Verdict:
    """The kind is good,
    and known."""
    return VERDICTS.get(operator.kind, UNKNOWN)


@each_operator
def short_name(operator: Operator) -> Verdict:
    """The kind has three letters at least."""
    return MAPS if len(operator.kind) > 2 else DOES_NOT_MAP


@whole_graph
def two_operators(operators: Operators) -> Verdict:
    """At most two operators."""
    return MAPS if len(operators) <= 2 else DOES_NOT_MAP


ALL = (known_kind, short_name, two_operators)


def test_the_docstring_is_the_message_on_one_line() -> None:
    assert known_kind.name == "known_kind"
    assert known_kind.message == "The kind is good, and known."


def test_a_constraint_without_a_message_is_no_constraint() -> None:
    def silent(operator: Operator) -> Verdict:
        return MAPS

    with pytest.raises(ValueError, match="silent needs a docstring"):
        each_operator(silent)


def test_every_operator_gets_a_finding() -> None:
    assert judged("f", graph("GOOD", "GOOD"), ALL) == [
        Finding("f", 0, "GOOD", MAPS),
        Finding("f", 1, "GOOD", MAPS),
    ]


def test_what_is_not_known_is_never_said_to_map() -> None:
    found = judged("f", graph("GOOD", "ODD"), ALL)

    assert [finding.verdict for finding in found] == [MAPS, UNKNOWN]
    assert problems(found) == [Finding("f", 1, "ODD", UNKNOWN, "The kind is good, and known.")]


def test_every_broken_constraint_is_named() -> None:
    assert judged("f", graph("X"), ALL) == [
        Finding("f", 0, "X", UNKNOWN, known_kind.message),
        Finding("f", 0, "X", DOES_NOT_MAP, short_name.message),
    ]


def test_a_constraint_on_the_whole_graph_stands_for_no_operator() -> None:
    found = judged("f", graph("GOOD", "GOOD", "GOOD"), ALL)

    assert problems(found) == [Finding("f", None, "", DOES_NOT_MAP, "At most two operators.")]
    assert len(found) == 4


def test_an_engine_that_the_target_does_not_run_is_refused() -> None:
    with pytest.raises(EngineError, match=r"target host runs litert.*got engine 'tensorrt'"):
        check(find_target("host"), "tensorrt", [])


def test_a_graph_that_cannot_be_read_is_an_error_not_a_finding(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx"):
        check(find_target("host"), "onnxruntime", [tmp_path / "none.onnx"])
