"""From a checkpoint to a tested bundle: export → parity → choose → self-test → archive.

Everything happens in a folder beside ``out`` that nobody else looks at; only what passed its
own self-test is moved to its place. Whatever ends the work before leaves ``out`` as it was.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from edge_ttvos.contracts import FrameSpec, ModelSpec
from edge_ttvos.errors import EngineError, ExportError, QuantizationError
from edge_ttvos.firmware_bridge.bundle.archive import pack
from edge_ttvos.firmware_bridge.bundle.manifest import FloatScores
from edge_ttvos.firmware_bridge.engines import load_opener, open_engine, runner_of
from edge_ttvos.firmware_bridge.engines.base import Engine, EngineOptions
from edge_ttvos.firmware_bridge.selftest import GoldenRun, require, selftest
from edge_ttvos.targets.base import Target
from edge_ttvos.targets.beside import Beside, Times, measure
from edge_ttvos.targets.beside import compare as compare_precisions
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
from edge_ttvos.targets.models import Deployable, FloatModel, float_checkpoint
from edge_ttvos.targets.parity import Parity, compare, rollout
from edge_ttvos.targets.place import archive_of, publish, staged


@dataclass(frozen=True)
class Order:
    """What to deploy.

    Attributes:
        target: board.
        model: float or quantized.
        sizes: height and width of each graph; empty: the target's, else the model's own.
        engine: one of the target's; None: its first, or the fastest where it measures.
        threads: CPU threads of the measurement; None: the engine's choice.
        clips: real clips beside the reference clip that parity is tested on.
        sweep: whether other sizes than the bundle's are surveyed for the target's accelerator.
    """

    target: Target
    model: Deployable
    sizes: tuple[tuple[int, int], ...] = ()
    engine: str | None = None
    threads: int | None = None
    clips: tuple[Clip, ...] = ()
    sweep: bool = False


class Survey(Protocol):
    """What an accelerator's package finds out about the graphs."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Title, columns and rows, for people."""

    def notes(self) -> Sequence[str]:
        """Lines to be read below it."""


@dataclass(frozen=True)
class Deployment:
    """What came of it.

    Attributes:
        folder: the bundle.
        archive: the same as one file.
        engine: that it is for.
        model_ms: median of the model's time in a frame by engine, where several were measured.
        beside: a quantized model against its float32 network.
        parity: by engine and size.
        findings: operators that break a constraint of the target, or that none knows.
        golden: self-test, by size.
        bytes: of the archive.
        survey: of the target's accelerator, if it has one.
    """

    folder: Path
    archive: Path
    engine: str
    model_ms: Mapping[str, float]
    parity: tuple[Parity, ...]
    findings: tuple[Finding, ...]
    golden: tuple[GoldenRun, ...]
    bytes: int
    survey: Survey | None = None
    beside: Beside = field(default_factory=Beside)


Listener = Callable[[str, float], None]


def deploy(
    order: Order,
    out: Path,
    float_scores: Callable[[Listener], FloatScores | None] = lambda listen: None,
    listen: Listener = lambda what, share: None,
) -> Deployment:
    """Make a bundle in ``out`` and its archive beside it; an older bundle there is replaced.

    Args:
        order: what to make.
        out: folder of the bundle; must be absent, empty or a bundle.
        float_scores: called for the float model's J&F once the export has passed.
        listen: called with what is being done and the share of all work done.

    Raises:
        ExportError: an exported graph computes something else than the network.
        EngineError: an engine or exporter is not installed, or the self-test failed.
        OutputError: ``out`` holds something else, or cannot be written.
    """
    engines = runnable(order, candidates(order))
    with staged(out) as stage, closing(References(order)) as references:
        parities: list[Parity] = []
        for index, engine in enumerate(engines):
            share = 0.6 / len(engines)
            work = Work(order, engine, stage / engine, references)
            parities += work.make(_part(listen, index * share, share))
        times, beside = weigh(order, engines, stage, _part(listen, 0.6, 0.12))
        best = min(times, key=times.__getitem__) if times else engines[0]
        work = Work(order, best, stage / best, references)
        scores = float_scores(_part(listen, 0.72, 0.12))
        survey = work.survey(_part(listen, 0.84, 0.1))
        work.describe(scores)
        listen("self-test", 0.95)
        findings = work.findings()
        runs = selftest(work.folder, order.threads)
        require(runs)
        packed = stage / "archive"
        pack(work.folder, packed)
        publish(work.folder, packed, out)
    listen("done", 1.0)
    archive = archive_of(out)
    length = archive.stat().st_size
    told = tuple(parities), tuple(findings), tuple(runs)
    return Deployment(out, archive, best, times, *told, length, survey, beside)


class References:
    """The network in PyTorch at every size of an order, and what it makes of the golden clips."""

    def __init__(self, order: Order) -> None:
        sizes = order.sizes or order.target.sizes or (order.model.size,)
        self.engines: list[Engine] = [order.model.reference(size) for size in sizes]
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


def candidates(order: Order) -> tuple[str, ...]:
    """Engines to make bundles for: the one asked for, or all installed where speed decides.

    Raises:
        EngineError: the target does not run this engine, or none that it runs is installed.
    """
    target = order.target
    if order.engine is not None:
        if order.engine not in target.engines:
            raise EngineError(
                f"target {target.name} runs {', '.join(target.engines)}; got --engine "
                f"{order.engine}"
            )
        load_opener(runner_of(order.engine))
        return (order.engine,)
    if not target.measured:
        load_opener(runner_of(target.engines[0]))
        return target.engines[:1]
    installed, missing = [], []
    for engine in target.engines:
        try:
            load_opener(engine)
        except EngineError as error:
            missing.append(str(error))
        else:
            installed.append(engine)
    if not installed:
        raise EngineError("; ".join(missing))
    return tuple(installed)


def runnable(order: Order, engines: Sequence[str]) -> list[str]:
    """Those of the engines that run the model.

    Raises:
        QuantizationError: none does; says why.
    """
    found, refused = [], []
    for engine in engines:
        try:
            order.model.check(engine)
        except QuantizationError as error:
            refused.append(error)
        else:
            found.append(engine)
    if not found:
        raise refused[0]
    return found


def weigh(
    order: Order, engines: Sequence[str], stage: Path, listen: Listener
) -> tuple[Times, Beside]:
    """Times of the bundles in ``stage``, a quantized model's beside those of float32."""
    floats, left_out = float_bundles(order, engines, stage, listen)
    listen("measure", 0.8)
    made = {engine: stage / engine for engine in engines}
    options = EngineOptions(threads=order.threads)
    times = measure(made, floats, options)
    if not floats:
        return times[0], Beside(left_out=left_out)
    beside = compare_precisions(made, floats, times, options)
    command = None
    if beside.faster is not None:
        sizes = "".join(f" --size {height}x{width}" for height, width in order.sizes)
        command = (
            f"edge-ttvos deploy --target {order.target.name} --model default{sizes} "
            f"--engine {beside.faster} --out DIR"
        )
    return times[0], replace(beside, left_out=left_out, command=command)


def float_bundles(
    order: Order, engines: Sequence[str], stage: Path, listen: Listener
) -> tuple[dict[str, Path], dict[str, str]]:
    """Float32 bundles of a quantized model by engine, and why others were not made.

    At the first size, where this machine is the target and the float model is at hand.
    """
    if order.model.precision == FloatModel.precision or not order.target.measured:
        return {}, {}
    if (checkpoint := float_checkpoint(order.model)) is None:
        return {}, dict.fromkeys(engines, "it was made of none of the shipped models")
    first = (order.sizes or order.target.sizes or (order.model.size,))[:1]
    plain = replace(order, model=FloatModel(checkpoint), sizes=first, clips=())
    made, left_out = {}, {}
    with closing(References(plain)) as references:
        for engine in engines:
            work = Work(plain, engine, stage / f"{engine}-fp32", references)
            try:
                work.make(listen)
            except (EngineError, ExportError) as error:
                left_out[engine] = str(error)
            else:
                made[engine] = work.folder
    return made, left_out


def engine_version(engine: str) -> str:
    """Version of an engine's library, as its engine tells it; with the name of what stands in."""
    runner = runner_of(engine)
    version = str(importlib.import_module(load_opener(runner).__module__).VERSION)
    return version if runner == engine else f"{runner} {version}"


def _open(order: Order, engine: str, folder: Path, model: ModelSpec) -> Engine:
    size = (model.frame.height, model.frame.width)
    return open_engine(str(folder), runner_of(engine), EngineOptions(size, order.threads))


def _part(listen: Listener, start: float, width: float) -> Listener:
    return lambda what, share: listen(what, start + width * share)
