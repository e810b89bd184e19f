"""What constraints see of a graph's operator, whichever format it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]

UNKNOWN_SIDE = -1
MOST_VALUES = 4096  # that are kept of a constant: settings and scales, not weights


@dataclass(frozen=True)
class Codes:
    """How the whole numbers of a tensor stand for values: scale · (code − zero point).

    Attributes:
        scales: one, or one for each index along the axis.
        zero_points: as many.
        axis: that the scales run along.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class Operand:
    """One tensor that an operator reads or writes.

    Attributes:
        shape: in the format's own order, ``UNKNOWN_SIDE`` where a side is not fixed; None where
            not even the number of sides is known.
        dtype: NumPy's name where it has one, else the format's in lower case.
        constant: whether the file holds its values.
        external: whether it is a constant whose values stand in another file.
        variable: whether it keeps its values from one run to the next.
        name: the same wherever the same tensor is read or written.
        values: of a constant of at most ``MOST_VALUES``, flat; else None.
        codes: what its whole numbers stand for, where the format says so of a tensor.
    """

    shape: Shape | None
    dtype: str
    constant: bool = False
    external: bool = False
    variable: bool = False
    name: str = field(default="", compare=False)
    values: tuple[float, ...] | None = field(default=None, compare=False)
    codes: Codes | None = field(default=None, compare=False)

    @property
    def static(self) -> bool | None:
        """Whether all sides are fixed; None where the shape is unknown."""
        return None if self.shape is None else UNKNOWN_SIDE not in self.shape


@dataclass(frozen=True)
class Operator:
    """One operator of a graph.

    Attributes:
        kind: name of the operator in its format.
        inputs: in order, constants among them; absent ones are left out.
        outputs: in order.
        attributes: name and value as the format has them.
        domain: set of operators that it belongs to: ``builtin`` or ``custom`` (LiteRT), ``ai.onnx``
            or another's (ONNX), ``opset`` or another's (OpenVINO).
        version: of the set, or of the operator where the format counts by operator.
    """

    kind: str
    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    attributes: Mapping[str, Any]
    domain: str
    version: int

    @property
    def operands(self) -> tuple[Operand, ...]:
        """All that it reads and writes."""
        return self.inputs + self.outputs


Operators = tuple[Operator, ...]


def plain_values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with text for bytes and tuples for lists and arrays."""
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value
