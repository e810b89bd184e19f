"""Older schemas of manifest.json, brought up to the newest one step at a time.

When the schema changes, the function that turns the old into the new goes into ``MIGRATIONS``; then
every older bundle can still be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_ttvos.errors import BundleError
from edge_ttvos.records import shortened

Table = dict[str, Any]

# From schema n to n + 1, by n: a new table without "schema", the old one unchanged. KeyError,
# TypeError and ValueError mean that the old table is not of its schema.
MIGRATIONS: dict[int, Callable[[Table], Table]] = {}


def migrated(table: Any, newest: int) -> Table:
    """A manifest of any schema up to ``newest``, as one of ``newest``; unchecked but for that.

    Raises:
        BundleError: it is newer than ``newest``.
        ValueError: it is no table, names no schema, or one that never was.
    """
    if not isinstance(table, dict):
        raise ValueError(f"must be a table of keys and values; got {shortened(table)}")
    schema = table.get("schema")
    if type(schema) is not int:
        raise ValueError(f"schema must be a whole number; got {shortened(schema)}")
    if schema > newest:
        raise BundleError(
            f"bundle has schema {shortened(schema)}, this runner reads up to {newest}: update "
            "edge-ttvos on the board"
        )
    current: Table = table
    for step in range(schema, newest):
        if step not in MIGRATIONS:
            raise ValueError(f"there is no schema {shortened(schema)}")
        try:
            current = {**MIGRATIONS[step](current), "schema": step + 1}
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is not of its schema {step}: {error!r}") from error
    return current
