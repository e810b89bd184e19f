"""Links between pages lead somewhere, and the index leaves out no page."""

from __future__ import annotations

import re
from pathlib import Path

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def links(page: Path) -> set[Path]:
    """Files and folders of the repository that a page links to."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    return {(page.parent / target).resolve() for target in targets}


def test_links_lead_somewhere(root: Path) -> None:
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")]

    broken = {f"{page.name}: {link}" for page in pages for link in links(page) if not link.exists()}

    assert broken == set()


def test_the_index_names_every_page(root: Path) -> None:
    index = root / "docs" / "README.md"

    assert set(root.glob("docs/*/*.md")) <= links(index)
