"""Templates beside this file, everything in them escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from edge_ttvos.quantize.report.page import wording
from edge_ttvos.quantize.report.page.embedding import script_json

FOLDER = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """A page; an unknown name in a template is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "signed": wording.signed,
        "size": wording.size,
        "duration": wording.duration,
        "script_json": script_json,
    }
    environment.globals |= {"asset": asset, "words": wording}
    return environment.get_template(template).render(**values)


def asset(name: str) -> Markup:
    """A style sheet or script of ours, as it is."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))
