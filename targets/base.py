"""What a target is: a board with its systems, engines and limits; ``boards`` has a file for each.

Describing a board takes neither torch nor an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from edge_ttvos.errors import InputError
from edge_ttvos.targets import boards
from edge_ttvos.targets.constraints import Constraint
from edge_ttvos.targets.form import Form


@dataclass(frozen=True)
class System:
    """An operating system of the board.

    Attributes:
        name: with its release.
        python: version of its python3.
        install: commands to type on it before a bundle's ``install.sh``.
        notes: what else there is to know.
    """

    name: str
    python: str
    install: tuple[str, ...]
    notes: str = ""


@dataclass(frozen=True)
class Budget:
    """Memory that a bundle may take on the board.

    Attributes:
        arena_bytes: of the tracker's one allocation.
        reason: where that comes from.
    """

    arena_bytes: int
    reason: str


@dataclass(frozen=True)
class Target:
    """A board to deploy to.

    Attributes:
        name: what ``--target`` takes.
        title: what people call it.
        engines: of ``export.FORMATS``, the preferred first.
        measured: whether deploy measures all engines and takes the fastest, not the first.
        sizes: height and width of the graphs in pixels; empty: the checkpoint's own.
        memory: what a bundle may take.
        systems: that it runs.
        requirements: for pip, by engine.
        constraints: on the graphs, by engine.
        forms: how each engine wants the graphs built.
        verified: what was tried, and how; what was not.
        throttling: where the system tells that the board holds itself back.
        accelerator: package of ``targets`` that surveys the graphs for a device beside the CPU.
        system_packages: whether the bundle's environment sees the system's Python packages.
        machines: processors' architectures as ``uname -m`` says them; empty: any.
    """

    name: str
    title: str
    engines: tuple[str, ...]
    measured: bool
    sizes: tuple[tuple[int, int], ...]
    memory: Budget
    systems: tuple[System, ...]
    requirements: Mapping[str, tuple[str, ...]]
    constraints: Mapping[str, tuple[Constraint, ...]]
    forms: Mapping[str, Form]
    verified: str
    throttling: str
    accelerator: str | None = None
    system_packages: bool = False
    machines: tuple[str, ...] = ()


def known_targets() -> dict[str, Target]:
    """Every ``TARGET`` of a module in ``boards``, by name."""
    found = {}
    for module in iter_modules(boards.__path__):
        target = getattr(import_module(f"{boards.__name__}.{module.name}"), "TARGET", None)
        if isinstance(target, Target):
            found[target.name] = target
    return dict(sorted(found.items()))


def find_target(name: str) -> Target:
    """The target of a name.

    Raises:
        InputError: there is none.
    """
    targets = known_targets()
    if name not in targets:
        raise InputError(f"there is no target {name!r}; known: {', '.join(targets)}")
    return targets[name]
