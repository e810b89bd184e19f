"""The page docs/reference/supported-ops.md, printed by ``python -m`` with this module's name.

Graphs of the ``release`` network are exported small: operators do not depend on the size.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.targets.base import Target, known_targets
from edge_ttvos.targets.constraints import MAPS, Finding, check
from edge_ttvos.targets.delegation import left_by_xnnpack, refused_by_openvino
from edge_ttvos.targets.export import exporter
from edge_ttvos.targets.export.graphs import build_graphs
from edge_ttvos.targets.form import Form

SIZE = (48, 80)  # height and width of the frame in pixels

Files = Callable[[Target, str], Sequence[Path]]  # graphs of a target's engine

HEAD = """\
# Supported operators

Which operators the exported graphs have on each target, and what they are held to. Printed by

    python -m edge_ttvos.targets.supported_ops

from the code of the constraints and from graphs of the `release` network that it exports; a test
holds this page to it. *maps*: every constraint says so. *unknown*: a constraint does not know the
operator, which is never taken for *maps*.

| engine | what it answers itself, on x86-64 |
| --- | --- |
"""


def small_graphs(folder: Path, engine: str, form: Form) -> tuple[Path, ...]:
    """Export a network of random weights for an engine; the graphs in the order of their running.

    Args:
        folder: to write into.
        engine: that the files are for.
        form: of the graphs.

    Raises:
        ExportError: the exporter failed.
        EngineError: it is not installed.
    """
    network = TTVOS(PRESETS["release"]).eval()
    graphs = build_graphs(network, FrameSpec(*SIZE), form)
    return tuple(exporter(engine)(graph, folder)[0] for graph in graphs)


def page(files: Files) -> str:
    """The whole page, from exported graphs."""
    targets = known_targets().values()
    asked = {engine: files(target, engine) for target in targets for engine in target.engines}
    text = HEAD + "".join(_row(engine, ANSWERS[engine](asked[engine])) for engine in ANSWERS)
    earlier: dict[str, str] = {}
    for target in targets:
        tables = _operators(target, files) + _constraints(target) + _accelerator(target, files)
        same = earlier.setdefault(tables, target.name)
        told = tables if same == target.name else f"Operators and constraints as for `{same}`.\n"
        text += f"\n## {target.name}\n\n{target.title}. {target.verified}\n\n"
        text += f"Throttling: {target.throttling}\n\n{told}"
    return text


def _litert_answer(paths: Sequence[Path]) -> str:
    left = {path.stem: left_by_xnnpack(path) for path in paths}
    told = ", ".join(f"{' '.join(kinds)} of `{name}`" for name, kinds in left.items() if kinds)
    return f"XNNPACK takes every operator{' but ' if told else ''}{told}"


def _openvino_answer(paths: Sequence[Path]) -> str:
    refused = sorted({kind for path in paths for kind in refused_by_openvino(path)})
    return f"the CPU plugin takes every operator{' but ' if refused else ''}{', '.join(refused)}"


ANSWERS = {"litert": _litert_answer, "openvino": _openvino_answer}


def _operators(target: Target, files: Files) -> str:
    """Operators by engine and verdict."""
    lines = [_row("engine", "verdict", "operators"), _row("---", "---", "---")]
    for engine in target.engines:
        lines += _verdicts(engine, check(target, engine, files(target, engine)))
    return "".join(lines)


def _verdicts(name: str, findings: Sequence[Finding]) -> list[str]:
    """A row for each verdict."""
    verdicts = sorted({finding.verdict for finding in findings})
    return [_row(name, verdict, _kinds(findings, verdict)) for verdict in verdicts]


def _accelerator(target: Target, files: Files) -> str:
    """The same of the device beside the CPU."""
    if target.accelerator is None:
        return ""
    module = import_module(f"edge_ttvos.targets.{target.accelerator}.survey")
    name, graphs = module.NAME, files(target, module.ENGINE)
    head = [_row("device", "verdict", "operators with 8-bit codes"), _row("---", "---", "---")]
    limits = [
        _row(f"limits of the {name}"),
        _row("---"),
        *(_row(c.message) for c in module.CONSTRAINTS),
    ]
    return "".join(["\n", *head, *_verdicts(name, module.findings(graphs)), "\n", *limits])


def _constraints(target: Target) -> str:
    """Constraints and the engines that have them."""
    engines: dict[str, list[str]] = {}
    for engine in target.engines:
        for constraint in target.constraints[engine]:
            engines.setdefault(constraint.message, []).append(engine)
    lines = ["\n", _row("constraint", "engines"), _row("---", "---")]
    return "".join([*lines, *(_row(text, ", ".join(names)) for text, names in engines.items())])


def _kinds(findings: Sequence[Finding], verdict: str) -> str:
    """Operators of a verdict; with the reason where they do not map."""
    if verdict == MAPS:
        told = {f.operator for f in findings if f.verdict == verdict}
    else:
        wrong = [f for f in findings if f.verdict == verdict]
        told = {f"{f.operator or 'the graph'}: {f.message}" for f in wrong}
    return ", ".join(sorted(told))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    """Export into a temporary folder and print the page."""
    with tempfile.TemporaryDirectory() as folder:
        made: dict[tuple[str, Form], tuple[Path, ...]] = {}

        def files(target: Target, engine: str) -> Sequence[Path]:
            form = target.forms[engine]
            if (engine, form) not in made:
                place = Path(folder, str(len(made)))
                place.mkdir()
                made[engine, form] = small_graphs(place, engine, form)
            return made[engine, form]

        sys.stdout.write(page(files))


if __name__ == "__main__":
    main()
