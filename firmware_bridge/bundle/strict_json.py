"""JSON as RFC 8259 has it: UTF-8, no doubled key, no NaN; more than Python asks for by itself."""

from __future__ import annotations

import json
from typing import Any

from edge_ttvos.firmware_bridge.bundle.limits import MAX_NAME
from edge_ttvos.records import shortened


def decoded(document: bytes) -> Any:
    """What the bytes say.

    Raises:
        ValueError: they are no JSON, hold NaN or an infinity, or a table has a doubled or
            unprintable key.
        RecursionError: they nest too deep.
    """
    return json.loads(document.decode("utf-8"), object_pairs_hook=_table, parse_constant=_no_number)


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the key {shortened(key)} stands twice in one table")
        if len(key) > MAX_NAME or not key.isprintable():
            raise ValueError(
                f"a key must be printable, at most {MAX_NAME} characters; got {shortened(key)}"
            )
        table[key] = value
    return table


def _no_number(token: str) -> None:
    raise ValueError(f"{token} is no number in JSON")
