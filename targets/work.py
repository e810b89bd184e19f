"""One engine's bundle in the making, and the network that it is held against."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge_ttvos.contracts import FrameSpec, ModelSpec
from edge_ttvos.firmware_bridge.bundle.manifest import FloatScores
from edge_ttvos.firmware_bridge.engines import load_opener, open_engine, runner_of
from edge_ttvos.firmware_bridge.engines.base import Engine, EngineOptions
from edge_ttvos.targets.budget import over_budget
from edge_ttvos.targets.bundle_writer import (
    Contents,
    finish,
    graph_files,
    graphs_in,
    models_folder,
    size_name,
    write_golden,
)
from edge_ttvos.targets.clip import Clip, reference_clip
from edge_ttvos.targets.constraints import Finding, check, problems
from edge_ttvos.targets.order import Order
from edge_ttvos.targets.parity import Parity, compare, rollout

Listener = Callable[[str, float], None]


class Survey(Protocol):
    """What an accelerator's package finds out about the graphs."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Title, columns and rows, for people."""

    def notes(self) -> Sequence[str]:
        """Lines to be read below it."""


class References:
    """The network in PyTorch at every size of an order, and what it makes of the golden clips."""

    def __init__(self, order: Order) -> None:
        self.engines: list[Engine] = [order.model.reference(size) for size in order.graph_sizes]
        self.models: tuple[ModelSpec, ...] = tuple(engine.model for engine in self.engines)
        self.clips = [reference_clip(m.frame.height > m.frame.width) for m in self.models]
        pairs = zip(self.engines, self.clips, strict=True)
        self.masks = [rollout(engine, clip) for engine, clip in pairs]

    def close(self) -> None:
        """Release the engines."""
        for engine in self.engines:
            engine.close()


@dataclass(frozen=True)
class Work:
    """One engine's bundle in the making."""

    order: Order
    engine: str
    folder: Path
    references: References

    def make(self, listen: Listener) -> list[Parity]:
        """Export every size, write the bundle, open it as a board would, and compare."""
        form = self.order.target.forms.get(self.engine)
        for index, (reference, clip, masks) in enumerate(self._sizes()):
            model = reference.model
            place = models_folder(self.folder, model)
            where = f"{size_name(model)} for {self.engine}"

            def told(graph: str, where: str = where, share: float = index / 4) -> None:
                listen(f"export {graph} {where}", share)

            self.order.model.write(self.engine, model.frame, form, place, told)
            write_golden(self.folder, model, clip, masks)
        self.describe(None)
        found = [self._compare(reference, clip, listen) for reference, clip, _ in self._sizes()]
        if self.order.model.own_golden:
            self.describe(None)  # the golden masks are others now
        return found

    def describe(self, scores: FloatScores | None) -> None:
        """Write requirements, installer, runtime and manifest."""
        target = self.order.target
        contents = Contents(
            target.name,
            self.engine,
            (engine_version(self.engine),),
            self.references.models,
            target.requirements[self.engine],
            target.system_packages,
            scores,
        )
        finish(self.folder, contents)

    def survey(self, listen: Listener) -> Survey | None:
        """What the target's accelerator makes of the graphs; compiled ones are put beside them."""
        target = self.order.target
        if target.accelerator is None:
            return None
        module = importlib.import_module(f"edge_ttvos.targets.{target.accelerator}.survey")
        graphs = {
            (model.frame.height, model.frame.width): graph_files(self.folder, model)
            for model in self.references.models
        }
        others = module.SIZES if self.order.sweep else ()
        found: Survey = module.survey(self._write, graphs, others, listen)
        return found

    def _write(self, size: tuple[int, int], folder: Path) -> Sequence[Path]:
        """Graphs of another size than the bundle's; their files."""
        form = self.order.target.forms.get(self.engine)
        self.order.model.write(self.engine, FrameSpec(*size), form, folder, lambda graph: None)
        return graphs_in(folder)

    def findings(self) -> list[Finding]:
        """What of the graphs the target does not map or does not know; sizes too large for it."""
        target, models = self.order.target, self.references.models
        files = [path for model in models for path in graph_files(self.folder, model)]
        return problems(check(target, self.engine, files)) + over_budget(target, models)

    def _sizes(self) -> Sequence[tuple[Engine, Clip, list[Any]]]:
        it = self.references
        return list(zip(it.engines, it.clips, it.masks, strict=True))

    def _compare(self, reference: Engine, clip: Clip, listen: Listener) -> Parity:
        listen(f"compare {size_name(reference.model)} on {self.engine}", 0.8)
        candidate = _open(self.order, self.engine, self.folder, reference.model)
        with closing(candidate):
            parity = compare(reference, candidate, [clip, *self.order.clips])
            parity.require(self.order.model.tolerance)
            if self.order.model.own_golden:
                masks = rollout(candidate, clip)
                write_golden(self.folder, reference.model, clip, masks)
        return parity


def engine_version(engine: str) -> str:
    """Version of an engine's library, as its engine tells it; with the name of what stands in."""
    runner = runner_of(engine)
    version = str(importlib.import_module(load_opener(runner).__module__).VERSION)
    return version if runner == engine else f"{runner} {version}"


def _open(order: Order, engine: str, folder: Path, model: ModelSpec) -> Engine:
    size = (model.frame.height, model.frame.width)
    return open_engine(str(folder), runner_of(engine), EngineOptions(size, order.threads))
