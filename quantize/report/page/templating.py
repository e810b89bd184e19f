"""Templates beside this file; whatever a record holds is escaped."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edge_ttvos.errors import OutputError
from edge_ttvos.quantize.report.page import wording

FOLDER = Path(__file__).parent / "templates"
NEEDED = ("jinja2", "matplotlib")


def check_installed() -> None:
    """That the page and its figures can be made.

    Raises:
        OutputError: a library is missing.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise OutputError(
            f"the report's page needs {' and '.join(missing)}; "
            "type: pip install 'edge-ttvos[report]'"
        )


def render(template: str, **values: Any) -> str:
    """A page; a name that is missing in a template is an error."""
    import jinja2
    from markupsafe import Markup

    def asset(name: str) -> Markup:
        """A style sheet or script of ours, as it is."""
        return Markup((FOLDER / name).read_text(encoding="utf-8"))

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.filters |= {
        "number": wording.number,
        "signed": wording.signed,
        "size": wording.size,
        "duration": wording.duration,
    }
    environment.globals |= {"asset": asset, "words": wording}
    return environment.get_template(template).render(**values)
