"""bench.png: where a frame's time goes, and accuracy against speed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_ttvos.files import whole_file
from edge_ttvos.firmware_bridge.bench.comparison import OURS
from edge_ttvos.firmware_bridge.bench.table import title
from edge_ttvos.firmware_bridge.latency import MODEL_STAGES, STAGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = "bench.png"
SIZE, DPI = (11.0, 4.6), 150  # inches

# Okabe and Ito, "Color Universal Design", 2008: told apart with any kind of colour vision.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#999999"
BLACK = "#444444"  # softened; what is not divided into stages, and the reference
COLOURS = dict(zip(STAGES, (GREY, BLUE, SKY, ORANGE, GREEN, PURPLE, YELLOW), strict=True))
HATCH = "///"  # on what is glue, so that it is told apart in grey too
MARKS = {OURS: (BLUE, "o"), "pytorch-eager": (ORANGE, "s"), "nanotrack-v2": (GREEN, "^")}
OTHERS = (PURPLE, "D")


def draw(record: Mapping[str, Any], file: Path) -> bool:
    """Draw bench.json; False where matplotlib is not installed.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title(record), fontsize=9, color=RED if record["throttled"] else "black")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _stages(left, record)
    _accuracy(right, record)
    with whole_file(file) as temporary:
        figure.savefig(temporary, format="png")
    return True


def _stages(axes: Axes, record: Mapping[str, Any]) -> None:
    """A bar each for ours and whoever ran beside it."""
    alone = {stage: ms["mean"] for stage, ms in record["latency_ms"]["stages"].items()}
    bars = {n: e["latency_ms"]["stages"] for n, e in _measured(record).items()} or {OURS: alone}
    labels = dict.fromkeys(stage for stages in bars.values() for stage in stages)
    for row, stages in enumerate(bars.values()):
        begin = 0.0
        for stage, milliseconds in stages.items():
            glue = stage in STAGES and stage not in MODEL_STAGES
            axes.barh(
                row,
                milliseconds or 0,
                left=begin,
                height=0.6,
                color=COLOURS.get(stage, BLACK),
                edgecolor="white",
                hatch=HATCH if glue else None,
                label=stage if labels.pop(stage, "") is None else None,
            )
            begin += milliseconds or 0
        axes.text(begin, row, f"  {begin:.1f}", va="center", fontsize=8)
    axes.set_yticks(range(len(bars)), list(bars), fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.set_title("Where a frame's time goes (hatched: around the model)", fontsize=9)
    axes.set_xlabel("milliseconds a frame, mean")
    _legend(axes, 4)


def _accuracy(axes: Axes, record: Mapping[str, Any]) -> None:
    """Masks' J&F filled, boxes' IoU hollow; without peers, ours alone."""
    points = _measured(record) or {OURS: {**record, "box_iou": None}}
    for name, entry in points.items():
        fps, (colour, marker) = entry["fps"]["end_to_end"], MARKS.get(name, OTHERS)
        for key, face, what in (("J&F", colour, "J&F of masks"), ("box_iou", "none", "box IoU")):
            if not fps or entry[key] is None:
                continue
            (point,) = axes.plot(fps, entry[key], marker, ls="none", label=f"{name}, {what}")
            point.set(markersize=9, markerfacecolor=face, markeredgecolor=colour, zorder=3)
            point.set(markeredgewidth=1.8, clip_on=False)
    if record["J&F_float"] is not None:
        axes.axhline(record["J&F_float"], color=BLACK, ls="--", lw=1, label="float model, J&F")
    axes.margins(0.2)
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.set_title("Accuracy against speed", fontsize=9)
    axes.set_xlabel("frames a second, end to end")
    axes.set_ylabel("percent")
    _legend(axes, 2)


def _legend(axes: Axes, columns: int) -> None:
    """Below the axes, where it hides nothing."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            fontsize=7,
            ncols=columns,
            frameon=False,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.16),
        )


def _measured(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in record["peers"].items() if "left_out" not in entry}
