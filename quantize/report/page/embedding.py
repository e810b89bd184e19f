"""What makes the page one file: pictures and data inside it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}

# Within <script>, "</script" and "<!--" would end or change it, whatever the JSON says.
ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


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


def script_json(value: Any) -> Markup:
    """Plain data for a ``<script type="application/json">``."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(ESCAPES))
