"""The figures and pictures of a model card, from what ``edge-ttvos eval`` left.

    python tools/model_card.py --root DAVIS --eval OUT [--box OUT2] [--worst 3] --out card

``OUT`` is the ``--out`` of an evaluation from masks, ``OUT2`` of one from boxes. Writes
``card/figures.md``: J&F by sequence, the weights and how they were run; and ``card/<sequence>.png``
for the sequences that score worst: twelve frames with the mask and its J.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.errors import InputError
from edge_ttvos.evaluation.datasets import Sequence, open_dataset
from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.evaluation.report import Report
from edge_ttvos.evaluation.score import score
from edge_ttvos.evaluation.table import COLUMNS, table_rows
from edge_ttvos.files import write_bytes
from edge_ttvos.firmware_bridge.contact_sheet import ContactSheet
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.sources.images import read_image

PROTOCOL = ("model", "sha256", "precision", "resolution", "engine", "engine_version", "commit")


def model_card(
    root: Annotated[Path, typer.Option("--root", help="The data set, in the DAVIS layout.")],
    evaluation: Annotated[Path, typer.Option("--eval", help="--out of eval, from masks.")],
    out: Annotated[Path, typer.Option("--out", help="Where the card's parts go.")],
    box: Annotated[Path | None, typer.Option("--box", help="--out of eval, from boxes.")] = None,
    worst: Annotated[int, typer.Option("--worst", min=0, help="Sequences to show.")] = 3,
) -> None:
    """Score the masks again, and write the table and the pictures."""
    protocol = _protocol(evaluation)
    names = sorted(folder.name for folder in (evaluation / "masks").iterdir())
    dataset = open_dataset(protocol["dataset"], root, names)
    show = Screen(None)
    with show.progress("score") as line:
        report = score(dataset, evaluation / "masks", progress=line.update)
        boxed = None if box is None else score(dataset, box / "masks", progress=line.update)
    make_folder(out)
    write_bytes(out / "figures.md", figures(report, boxed, protocol).encode())
    for name in worst_sequences(report, worst):
        title = f"{name}: J&F {_mean(report, name):.1f}"
        draw(dataset.load(name), evaluation / "masks" / name, out / f"{name}.png", title)
    show.say(f"{out}: figures.md and {worst} pictures")


def figures(report: Report, boxed: Report | None, protocol: dict[str, Any]) -> str:
    """The table by sequence in Markdown, with J&F from boxes as its last column if there is any."""
    columns, rows = list(COLUMNS), [list(row.cells()) for row in table_rows(report)]
    if boxed is not None:
        columns.append("J&F from a box")
        for row, other in zip(rows, table_rows(boxed), strict=True):
            row.append(other.cells()[1])
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    facts = [f"- {key}: {protocol[key]}" for key in PROTOCOL if protocol.get(key) is not None]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", *facts, ""])


def worst_sequences(report: Report, count: int) -> list[str]:
    """Names, the lowest J&F first."""
    names = [sequence.name for sequence in report.sequences]
    return sorted(names, key=lambda name: _mean(report, name))[:count]


def draw(sequence: Sequence, masks: Path, file: Path, title: str) -> None:
    """Twelve of its frames, with the predicted mask and, in the caption, J of all objects."""
    sheet, scores = ContactSheet(), dict[int, float]()
    for number, path in enumerate(sequence.frames):
        predicted = sequence.read(masks / f"{path.stem}.png")
        sheet.add(number, read_image(path), predicted)
        if truth := sequence.annotations.get(path.stem):
            scores[number] = jaccard(predicted > 0, sequence.read(truth) > 0)
    sheet.write(file, title, scores)


def _protocol(evaluation: Path) -> dict[str, Any]:
    try:
        record = json.loads((evaluation / "eval.json").read_text(encoding="utf-8"))
        complete, protocol = record["complete"], dict(record["protocol"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{evaluation} has no usable eval.json ({error}): give the --out of edge-ttvos eval"
        ) from error
    if not complete:
        raise InputError(f"{evaluation} is not complete: let eval finish first")
    return protocol


def _mean(report: Report, name: str) -> float:
    (sequence,) = (s for s in report.sequences if s.name == name)
    assert sequence.j is not None
    assert sequence.f is not None
    return 50 * (sequence.j.mean + sequence.f.mean)


if __name__ == "__main__":
    typer.run(guarded(model_card))
