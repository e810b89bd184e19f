"""Pack the training material of a data folder into one small file.

    python tools/pack_data.py --data DATA --out packed.zip [--quality 60]

On the machine that trains: python -m zipfile -e packed.zip data, then edge-ttvos train --data data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.data.pack import QUALITY, pack


def pack_data(
    data: Annotated[Path, typer.Option("--data", help="The data folder.")],
    out: Annotated[Path, typer.Option("--out", help="The zip.")],
    quality: Annotated[int, typer.Option("--quality", min=1, max=100, help="Of WebP.")] = QUALITY,
) -> None:
    """Pack what training reads; evaluation data and sequences set aside stay out."""
    show = Screen(None)
    with show.progress("pack") as line:
        size = pack(data, out, quality, line.update)
    show.say(f"{out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(guarded(pack_data))
