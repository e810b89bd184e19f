"""What can be deployed, float or quantized: each has a reference and writes its own graphs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.errors import EngineError, ExportError, QuantizationError
from edge_ttvos.firmware_bridge.engines.base import Engine
from edge_ttvos.network.checkpoint import Checkpoint, is_quantized, load_checkpoint
from edge_ttvos.network.engine import TorchEngine
from edge_ttvos.quantize.engine import SimulatedEngine
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.model import QuantizedModel, load_quantized
from edge_ttvos.targets.export import NEEDED, exporter
from edge_ttvos.targets.export.fused import build_fused
from edge_ttvos.targets.export.graphs import build_graphs
from edge_ttvos.targets.form import Form
from edge_ttvos.targets.parity import INTEGER, STRICT, Tolerance
from edge_ttvos.weights import SHIPPED

Size = tuple[int, int]
Listener = Callable[[str], None]

# Writers of quantized graphs by engine; others have none.
INTEGER_FORMATS = {
    "litert": "litert",
    "openvino": "openvino",
    "onnxruntime": "onnx",
    "tensorrt": "onnx",
}
PLAIN_FORMATS = {"litert": "plain_litert"}  # of a form that is ``plain``
SYMMETRIC = ("tensorrt",)  # engines whose codes must lie around 0


class Deployable(Protocol):
    """A model that bundles are made of.

    Attributes:
        tolerance: how far an engine may be from the reference.
        own_golden: whether a bundle's golden masks are those of its own engine, once it is within
            the tolerance, and not the reference's.
    """

    tolerance: Tolerance
    own_golden: bool
    sha256: str
    precision: str

    @property
    def size(self) -> Size:
        """Height and width that it runs best at."""

    def check(self, engine: str) -> None:
        """Raises:
        QuantizationError: the engine does not run this model; says why.
        """

    def reference(self, size: Size) -> Engine:
        """What the exported graphs must compute."""

    def write(
        self, engine: str, frame: FrameSpec, form: Form | None, folder: Path, listen: Listener
    ) -> None:
        """Write its graphs for an engine at one size.

        Raises:
            ExportError, EngineError: the format's exporter failed, or is not installed.
        """


def load_deployable(path: Path) -> Deployable:
    """A checkpoint of either kind.

    Raises:
        ModelError: it cannot be read.
    """
    if is_quantized(path):
        return IntegerModel(load_quantized(path))
    return FloatModel(load_checkpoint(path))


def float_checkpoint(model: Deployable) -> Checkpoint | None:
    """The float network that a loss is told against: its own, or a shipped one it was made of."""
    if isinstance(model, FloatModel):
        return model.checkpoint
    assert isinstance(model, IntegerModel)
    for path in SHIPPED.values():
        checkpoint = load_checkpoint(path)
        if checkpoint.sha256 == model.model.origin.get("float_sha256"):
            return checkpoint
    return None


class FloatModel:
    """A network as it was trained."""

    tolerance = STRICT
    own_golden = False
    precision = "fp32"

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.sha256, self.size = checkpoint.sha256, checkpoint.size
        self.network = checkpoint.network

    def check(self, engine: str) -> None:
        """Every engine runs it."""

    def reference(self, size: Size) -> TorchEngine:
        """PyTorch, float32."""
        return TorchEngine(self.checkpoint, size)

    def write(
        self, engine: str, frame: FrameSpec, form: Form | None, folder: Path, listen: Listener
    ) -> None:
        """By the format's exporter of PyTorch modules."""
        export = exporter(engine)
        graphs = [*build_graphs(self.network, frame, form)]
        if form is not None and form.fused and self.network.config.long_term:
            graphs.append(build_fused(self.network, frame, form))
        for graph in graphs:
            listen(graph.name)
            export(graph, folder)


class IntegerModel:
    """A quantized model: the simulation is its reference."""

    tolerance = INTEGER
    own_golden = True  # an engine rounds some codes the other way, and equally on every board

    def __init__(self, model: QuantizedModel) -> None:
        self.model = model
        self.sha256, self.size = model.sha256, model.size
        self.precision = model.recipe.bits

    def check(self, engine: str) -> None:
        """Eight bits, in a format that has a writer, around 0 where the engine wants that."""
        recipe = self.model.recipe
        if reasons := recipe.simulated:
            raise QuantizationError(
                f"no engine runs {recipe.bits} ({'; '.join(reasons)}): it is simulated only. "
                "Score it with `edge-ttvos eval --model`, or quantize to w8a8"
            )
        if engine not in INTEGER_FORMATS:
            raise QuantizationError(
                f"quantized graphs are written for {', '.join(INTEGER_FORMATS)}; got {engine}. "
                "Give --engine, or deploy the float model"
            )
        if engine in SYMMETRIC and not recipe.symmetric:
            raise QuantizationError(
                f"{engine} takes codes around 0 alone (zero point 0), and recipe {recipe.name} has "
                "offsets: quantize with `symmetric = true`"
            )

    def reference(self, size: Size) -> SimulatedEngine:
        """The simulation, codes in and out."""
        return SimulatedEngine.of(self.model, size)

    def write(
        self, engine: str, frame: FrameSpec, form: Form | None, folder: Path, listen: Listener
    ) -> None:
        """By the format's writer; of a form, it heeds ``coordinates`` and ``plain``."""
        form = form or Form()
        export = _integer_writer(engine, form.plain)
        for graph in self.model.graphs(frame, form.coordinates):
            listen(graph.name)
            try:
                export(self.model, graph, folder)
            except (KeyError, ValueError) as error:
                raise ExportError(
                    f"{graph.name} cannot be written for {engine}: {error}"
                ) from error


def _integer_writer(engine: str, plain: bool) -> Callable[[QuantizedModel, Graph, Path], Any]:
    """What writes quantized graphs for an engine.

    Raises:
        EngineError: its format's library is not installed.
        ExportError: the format has no writer of plain operators.
    """
    if plain and engine not in PLAIN_FORMATS:
        raise ExportError(
            f"quantized graphs in plain operators are written for {', '.join(PLAIN_FORMATS)}; got "
            f"{engine}. Choose a form that is not plain"
        )
    name = PLAIN_FORMATS[engine] if plain else INTEGER_FORMATS[engine]
    try:
        module = import_module(f"edge_ttvos.targets.export.quantized.{name}")
    except ModuleNotFoundError as error:
        raise EngineError(
            f"writing for {engine} needs {error.name}, which is not installed; type: "
            f"pip install {NEEDED[INTEGER_FORMATS[engine]]}"
        ) from error
    writer: Callable[[QuantizedModel, Graph, Path], Any] = module.export
    return writer
