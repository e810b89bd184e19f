"""One finding of ``doctor``, and how to look for files under any root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: of what was looked at.
        ok: whether it is there and usable.
        finding: version, path or problem.
        needed: whether tracking is impossible without it.
        advice: what to type; empty where nothing is to be done.
        trouble: it is there, but something is wrong with it.
    """

    name: str
    ok: bool
    finding: str
    needed: bool = True
    advice: str = ""
    trouble: bool = False

    @property
    def mark(self) -> str:
        """``ok``, or in a word what is not."""
        if self.ok:
            return "ok"
        if self.trouble:
            return "trouble"
        return "missing" if self.needed else "absent"


def there(name: str, finding: str) -> Check:
    """It is there."""
    return Check(name, True, finding, needed=False)


def absent(name: str, finding: str, advice: str = "") -> Check:
    """It is not there; tracking works without."""
    return Check(name, False, finding, needed=False, advice=advice)


def trouble(name: str, finding: str, advice: str) -> Check:
    """It is there and does not do what it should."""
    return Check(name, False, finding, needed=False, advice=advice, trouble=True)


def text(path: Path) -> str:
    """A small file's text without what surrounds it; empty where it cannot be read."""
    try:
        return path.read_text("utf-8", "replace").strip("\0 \n")
    except OSError:
        return ""
