"""Plain data (TOML, JSON) into frozen dataclasses, checked field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

KINDS = {
    int: "a whole number",
    float: "a finite number",
    str: "text",
    bool: "true or false",
    tuple[int, int]: "two whole numbers, height and width",
}


def build(record: type[Record], table: Mapping[str, Any], where: str = "") -> Record:
    """A record of a table's values; every field that has no default must be there.

    Args:
        record: a dataclass with fields of ``KINDS`` or a ``Literal``; others are taken as they are.
        table: by field name.
        where: stands before the field's name in messages.

    Raises:
        ValueError: an unknown or missing key, or a value of another kind; or what the record's own
            ``__post_init__`` raises.
    """
    known = {f.name: f for f in fields(record)}  # type: ignore[arg-type]
    if unknown := sorted(set(table) - set(known)):
        raise ValueError(
            f"{where}unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    required = [f.name for f in known.values() if f.default is MISSING]
    if missing := [key for key in required if key not in table]:
        raise ValueError(f"{where}missing key {', '.join(missing)}")
    kinds = get_type_hints(record)
    return record(**{key: typed(table[key], kinds[key], f"{where}{key}") for key in table})


def typed(value: Any, kind: Any, where: str) -> Any:
    """A plain value as the kind: whole numbers may stand for others, lists for tuples.

    Raises:
        ValueError: it is of another kind.
    """
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{where} must be one of {', '.join(choices)}; got {value!r}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind == tuple[int, int] and isinstance(value, list):
        value = tuple(value)
        fits = [type(side) for side in value] == [int, int]
    else:
        fits = kind not in KINDS or type(value) is kind
    if not fits or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{where} must be {KINDS[kind]}; got {value!r}")
    return value
