"""What ``deploy`` is asked for, and the engines that can be asked to do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_ttvos.errors import EngineError, QuantizationError
from edge_ttvos.firmware_bridge.engines import load_opener, runner_of
from edge_ttvos.network.engine import rounded_up
from edge_ttvos.targets.base import Target
from edge_ttvos.targets.clip import Clip
from edge_ttvos.targets.models import Deployable


@dataclass(frozen=True)
class Order:
    """What to deploy.

    Attributes:
        target: board.
        model: float or quantized.
        sizes: height and width wanted; empty: the target's, else the model's own.
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

    @property
    def graph_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each graph: those wanted, rounded up, each once."""
        wanted = self.sizes or self.target.sizes or (self.model.size,)
        return tuple(dict.fromkeys(map(rounded_up, wanted)))


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
