"""Files that are whole or absent: a temporary name beside the target, fsync, rename."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge_ttvos.errors import OutputError


@contextmanager
def whole_file(path: Path, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path in the same folder; on success it becomes ``path``, else it vanishes.

    Args:
        path: of the file.
        durable: whole even if the power fails. Waiting for the disk takes milliseconds: a camera's
            masks come faster.

    Raises:
        OutputError: the folder is read-only or missing, or the disk is full.
    """
    # named before it exists: Ctrl-C may come at the moment that makes it
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        temporary.open("xb").close()
        yield temporary
        if durable:
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_bytes(path: Path, data: bytes, durable: bool = True) -> None:
    """Write a file whole or not at all."""
    with whole_file(path, durable) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as indented JSON; NaN and infinities are an error, not a token."""
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode("utf-8", "backslashreplace"))
