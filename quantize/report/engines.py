"""What runs a model: PyTorch for float, LiteRT for what it can run, the simulation for the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import metadata
from pathlib import Path

from edge_ttvos.contracts import FrameSpec, ModelSpec
from edge_ttvos.firmware_bridge.engines.base import Engine, EngineInfo
from edge_ttvos.firmware_bridge.engines.graphs import GraphEngine
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.engine import TorchEngine, model_spec
from edge_ttvos.quantize.engine import SimulatedEngine
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.report.study import Size
from edge_ttvos.targets.models import FloatModel, IntegerModel

Model = Checkpoint | QuantizedModel

RUNNER = "litert"  # of deployable points: the same integers on every board


@contextmanager
def opened(model: Model, size: Size, simulated: bool) -> Iterator[Engine]:
    """The engine that scores a model at a size, on one thread."""
    if isinstance(model, Checkpoint):
        engine: Engine = TorchEngine(model, size)
    elif simulated:
        engine = SimulatedEngine.of(model, size)
    else:
        with deployed(model, size, 1) as runner:
            yield runner
        return
    with closing(engine):
        yield engine


@contextmanager
def deployed(model: Model, size: Size, threads: int) -> Iterator[Engine]:
    """A model in LiteRT, as a bundle would run it.

    Raises:
        EngineError, ExportError: LiteRT or its exporter is missing, or cannot write the model.
    """
    from edge_ttvos.firmware_bridge.engines.litert import LiteRtSession

    frame = FrameSpec(*size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = _write(model, frame, folder)
        info = EngineInfo(RUNNER, metadata.version("ai-edge-litert"), device(), threads)
        files = (folder / f"{graph}.tflite" for graph in ("encode", "embed", "decode"))
        with closing(
            GraphEngine(spec, info, *(LiteRtSession(f, threads) for f in files))
        ) as runner:
            yield runner


def _write(model: Model, frame: FrameSpec, folder: Path) -> ModelSpec:
    if isinstance(model, Checkpoint):
        FloatModel(model).write(RUNNER, frame, None, folder, lambda graph: None)
        return model_spec(model, frame)
    IntegerModel(model).write(RUNNER, frame, None, folder, lambda graph: None)
    return model.spec(frame)
