"""Pictures inside the page, so that it is one file."""

from __future__ import annotations

import base64
from pathlib import Path

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}


def picture(folder: Path, path: str | None) -> str | None:
    """A picture of the report's folder as a data URI; None where it is not there.

    A path that leads out of the folder counts as not there: the record may come from anybody.
    """
    if path is None:
        return None
    file = (folder / path).resolve()
    kind = TYPES.get(file.suffix.lower())
    if kind is None or not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"
