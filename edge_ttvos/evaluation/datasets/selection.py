"""``--sequences``: names on the command line, or a file of names or of the benchmark's pairs."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from edge_ttvos.errors import DatasetError


def parse_sequences(text: str) -> tuple[str, ...]:
    """Names of sequences, in order, each once.

    Args:
        text: names parted by commas, or a file with one name a line or the benchmark's pairs
            (``/JPEGImages/480p/<name>/00000.jpg /Annotations/480p/<name>/00000.png``).

    Raises:
        DatasetError: there is no name, or what looks like a file cannot be read.
    """
    path = Path(text)
    if _is_file(path):
        entries = _lines(path)
    elif "/" in text or path.suffix == ".txt":
        raise DatasetError(f"{text} is no file: expected names parted by commas, or a file of them")
    else:
        entries = text.split(",")
    names = tuple(dict.fromkeys(_name(entry) for entry in entries if entry.strip()))
    if not names:
        raise DatasetError(f"--sequences {text!r} names no sequence")
    return names


def _is_file(path: Path) -> bool:
    """Whether it is one; many names in a row are too long to be a path at all."""
    try:
        return path.is_file()
    except OSError:
        return False


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as a list of sequences: {error}") from error


def _name(entry: str) -> str:
    """The entry itself, or the folder of the first path in it."""
    entry = entry.strip()
    if "/" not in entry:
        return entry
    name = PurePosixPath(entry.split()[0]).parent.name
    if not name:
        raise DatasetError(
            f"{entry!r} names no sequence: expected a name or /JPEGImages/480p/<name>/00000.jpg"
        )
    return name
