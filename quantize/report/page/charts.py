"""What a chart shows, apart from who draws it: the page's script or matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scale = Literal["linear", "log", "names"]
Shape = Literal["circle", "square", "triangle", "diamond", "cross", "plus"]
Dash = Literal["solid", "dashed", "dotted", "dashdot"]

SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond", "cross", "plus")
DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted", "dashdot")

TEXT = 0  # the colour of text: float, and whatever else is compared with
COLOURS = 6  # of Okabe and Ito; 1 to 6


@dataclass(frozen=True)
class Mark:
    """A point of a series.

    Attributes:
        x, y: where; x is an index where the axis has names.
        title: its name.
        text: lines that are shown when it is pointed at.
        recipe: TOML that is shown too.
        label: drawn beside it, where there is room.
        spread: half the length of a whisker.
        hollow: simulated.
    """

    x: float
    y: float
    title: str
    text: tuple[str, ...] = ()
    recipe: str = ""
    label: str = ""
    spread: float | None = None
    hollow: bool = False


@dataclass(frozen=True)
class Series:
    """Marks that belong together.

    Attributes:
        name: in the legend.
        colour: 0 is text, 1 to 6 are the palette's.
        shape: of the marks; None: a line alone, that cannot be pointed at.
        dash: of the line; None: marks alone.
        stairs: the line keeps its height up to the next mark.
    """

    name: str
    marks: tuple[Mark, ...]
    colour: int = TEXT
    shape: Shape | None = "circle"
    dash: Dash | None = "solid"
    stairs: bool = False


@dataclass(frozen=True)
class Axis:
    """One direction; without low and high, as far as the marks go."""

    label: str
    scale: Scale = "linear"
    names: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    """One panel.

    Attributes:
        name: within the page.
        title: above it.
        x, y: its axes.
        series: drawn in this order.
        level: a value of y that others are compared with, and its name.
        empty: said where there is nothing to draw.
    """

    name: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    level: tuple[float, str] | None = None
    empty: str = "Nothing was measured."


def style(number: int) -> tuple[int, Shape, Dash]:
    """Colour, shape and dash of the n-th series: no two agree in all before 24 have passed."""
    turn = number // COLOURS
    shape = SHAPES[(number + turn) % len(SHAPES)]
    return 1 + number % COLOURS, shape, DASHES[(number + turn) % len(DASHES)]
