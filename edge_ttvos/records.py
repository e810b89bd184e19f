"""Plain data (TOML, JSON) into frozen dataclasses, checked field by field, and back."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from reprlib import Repr
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

KINDS = {
    int: "a whole number",
    float: "a finite number",
    str: "text",
    bool: "true or false",
    tuple[int, int]: "two whole numbers, height and width",
}
EXACT = 2**53  # whole numbers up to here are floats without loss

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 120  # characters of a value in a message


def shortened(value: Any) -> str:
    """A value as messages show it: on one line, its middle left out where it is long."""
    return _SHORT.repr(value)


def build(
    record: type[Record], table: Mapping[str, Any], where: str = "", *, defaults: bool = True
) -> Record:
    """A record of a table's values; every field that has no default must be there.

    Args:
        record: a dataclass with fields of ``KINDS``, a ``Literal``, other dataclasses, tuples of
            them, mappings from text to them, or any of these or None; others are taken as they
            are. A field's key is its name, or what its metadata calls ``key``.
        table: by key.
        where: stands before the key in messages.
        defaults: whether keys of fields that have a default may be missing.

    Raises:
        ValueError: an unknown or missing key, or a value of another kind; or what the record's own
            ``__post_init__`` raises.
    """
    known = {_key(f): f for f in fields(record)}  # type: ignore[arg-type]
    if unknown := sorted(set(table) - set(known)):
        raise ValueError(
            f"{where}unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    required = [key for key, f in known.items() if not (defaults and _has_default(f))]
    if missing := [key for key in required if key not in table]:
        raise ValueError(f"{where}missing key {', '.join(missing)}")
    kinds = get_type_hints(record)
    values = {
        known[key].name: typed(value, kinds[known[key].name], f"{where}{key}", defaults=defaults)
        for key, value in table.items()
    }
    return record(**values)


def plain(value: Any) -> Any:
    """What ``build`` reads back: tables for records, lists for tuples."""
    if is_dataclass(value):
        return {_key(f): plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def typed(value: Any, kind: Any, where: str, *, defaults: bool = True) -> Any:
    """A plain value as the kind: whole numbers may stand for others, lists for tuples.

    Raises:
        ValueError: it is of another kind.
    """
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{where} must be one of {', '.join(choices)}; got {shortened(value)}")
        return value
    if kind not in KINDS:
        return _composed(value, kind, where, defaults)
    if kind is float and type(value) is int and abs(value) <= EXACT:
        return float(value)
    if kind == tuple[int, int] and isinstance(value, list | tuple):
        value = tuple(value)
        fits = [type(side) for side in value] == [int, int]
    else:
        fits = type(value) is kind
    if not fits or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{where} must be {KINDS[kind]}; got {shortened(value)}")
    return value


def _composed(value: Any, kind: Any, where: str, defaults: bool) -> Any:
    """A record, a tuple, a mapping or a value that may be None, part by part."""

    def part(value: Any, kind: Any, where: str) -> Any:
        return typed(value, kind, where, defaults=defaults)

    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else part(value, inner[0], where)
    if is_dataclass(kind) and not isinstance(value, kind):  # type: ignore[arg-type]
        _require(isinstance(value, Mapping), where, "a table of keys and values", value)
        return build(kind, value, f"{where}: ", defaults=defaults)  # type: ignore[arg-type]
    if origin is tuple:
        _require(isinstance(value, list | tuple), where, "a list", value)
        kinds = [inner[0]] * len(value) if inner[1:] == (...,) else inner
        _require(len(value) == len(kinds), where, f"a list of {len(kinds)}", value)
        each = enumerate(zip(value, kinds, strict=True))
        return tuple(part(item, its, f"{where}[{index}]") for index, (item, its) in each)
    if origin is Mapping:
        _require(isinstance(value, Mapping), where, "a table of keys and values", value)
        return {key: part(item, inner[1], f"{where}: {key}") for key, item in value.items()}
    return value


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _key(field: Field[Any]) -> str:
    return str(field.metadata.get("key", field.name))


def _require(condition: bool, where: str, what: str, value: Any) -> None:
    if not condition:
        raise ValueError(f"{where} must be {what}; got {shortened(value)}")
