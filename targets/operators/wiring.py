"""Which operator makes a tensor, and which ones read it."""

from __future__ import annotations

from edge_ttvos.targets.operators.base import Operand, Operator, Operators


class Wiring:
    """The edges of a graph, by the names of its tensors.

    Args:
        operators: of one graph.
    """

    def __init__(self, operators: Operators) -> None:
        self._makers = {o.name: operator for operator in operators for o in operator.outputs}
        self._readers: dict[str, list[tuple[Operator, int]]] = {}
        for operator in operators:
            for index, operand in enumerate(operator.inputs):
                self._readers.setdefault(operand.name, []).append((operator, index))

    def maker(self, operand: Operand) -> Operator | None:
        """What computes it; None for constants and what is given to the graph."""
        return self._makers.get(operand.name)

    def readers(self, operand: Operand) -> list[tuple[Operator, int]]:
        """What reads it, and as which of its inputs."""
        return self._readers.get(operand.name, [])
