"""From a checkpoint to a tested bundle: export → parity → choose → self-test → archive.

Everything happens in a folder beside ``out`` that nobody else looks at; only what passed its
own self-test is moved to its place. Whatever ends the work before leaves ``out`` as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_ttvos.errors import EngineError, ExportError
from edge_ttvos.firmware_bridge.bundle.archive import pack
from edge_ttvos.firmware_bridge.bundle.manifest import FloatScores
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.selftest import GoldenRun, require, selftest
from edge_ttvos.targets.beside import Beside, Times, compare, measure
from edge_ttvos.targets.constraints import Finding
from edge_ttvos.targets.models import FloatModel, float_checkpoint
from edge_ttvos.targets.order import Order, candidates, runnable
from edge_ttvos.targets.parity import Parity
from edge_ttvos.targets.place import archive_of, publish, staged
from edge_ttvos.targets.work import Listener, References, Survey, Work, engine_version


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

    @property
    def engine_version(self) -> str:
        """Of its engine's library here."""
        return engine_version(self.engine)


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
    beside = compare(made, floats, times, options)
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
    first = order.graph_sizes[:1]
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


def _part(listen: Listener, start: float, width: float) -> Listener:
    return lambda what, share: listen(what, start + width * share)
