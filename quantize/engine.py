"""PyTorch as an engine: float networks, and the simulation of quantized ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from edge_ttvos.contracts import FrameSpec, ModelSpec, Quantization
from edge_ttvos.firmware_bridge.codes import Array
from edge_ttvos.firmware_bridge.engines.base import (
    Decoded,
    Embedding,
    Engine,
    EngineInfo,
    EngineOptions,
    Features,
)
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.network.checkpoint import is_quantized, load_checkpoint
from edge_ttvos.network.engine import TorchEngine, rounded_up
from edge_ttvos.quantize.model import QuantizedModel, load_quantized
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.weights import find_checkpoint


def open_torch(model: str, options: EngineOptions) -> Engine:
    """Open ``default``, a checkpoint of either kind, or a run's folder; quantized is simulated.

    Raises:
        ModelError: there is no such model or it cannot be read.
    """
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    path, size = find_checkpoint(model), options.size
    if not is_quantized(path):
        return TorchEngine(load_checkpoint(path), size)
    quantized = load_quantized(path)
    return SimulatedEngine.of(quantized, rounded_up(size or quantized.size))


class SimulatedEngine:
    """Runs a simulation on the tracker's arrays, values or codes as its ``ModelSpec`` says.

    Args:
        simulation: at one size.
        model: what the tracker must know of it.
    """

    def __init__(self, simulation: Simulation, model: ModelSpec) -> None:
        self.simulation = simulation
        self.simulation.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = model

    @classmethod
    def of(cls, model: QuantizedModel, size: tuple[int, int] | None = None) -> SimulatedEngine:
        """A quantized model at a size (None: its own)."""
        frame = FrameSpec(*(size or model.size))
        return cls(model.simulation(frame).eval(), model.spec(frame))

    @property
    def info(self) -> EngineInfo:
        """PyTorch, and that it only simulates."""
        return EngineInfo("torch", torch.__version__, device(), torch.get_num_threads())

    def encode(self, frame: Array, features: Features) -> None:
        """RGB uint8 (H + 1, W + 1, 3) → features."""
        self._run("encode", {"frame": frame}, vars(features))

    def embed(self, previous_s8: Array, masks: Array, s8: Array, embedding: Embedding) -> None:
        """s8 of both frames and the masks → s8′, and f, g, q where there is a template."""
        results = {"modified_s8": embedding.s8, "f": embedding.f}
        results |= {"g": embedding.g, "q": embedding.q}
        self._run("embed", {"previous_s8": previous_s8, "masks": masks, "s8": s8}, results)

    def decode(
        self,
        features: Features,
        modified_s8: Array,
        attention: Array,
        previous_s16: Array,
        masks: Array,
        decoded: Decoded,
    ) -> None:
        """Similarity, short-term matching and decoder → log-odds and w."""
        inputs = {
            "s4": features.s4,
            "modified_s8": modified_s8,
            "attention": attention,
            "s16": features.s16,
            "previous_s16": previous_s16,
            "masks": masks,
        }
        self._run("decode", inputs, vars(decoded))

    def close(self) -> None:
        """Nothing to release."""

    @torch.inference_mode()
    def _run(self, name: str, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
        given = {
            # previous_s8 has the codes of s8
            tensor: _values(array, self.model.quantization(tensor.removeprefix("previous_")))
            for tensor, array in inputs.items()
        }
        for tensor, value in self.simulation(name, given).items():
            _store(value, self.model.quantization(tensor), outputs[tensor])


def _values(array: Array, codes: Quantization | None) -> Tensor:
    """(h, w, c) values or codes → (1, c, h, w) float32, channels last in memory."""
    value = torch.from_numpy(array).permute(2, 0, 1)[None].float()
    return value if codes is None else (value - codes.offset) * codes.scale


def _store(value: Tensor, codes: Quantization | None, out: Array) -> None:
    """(1, c, h, w) values, already rounded → ``out`` as values or codes."""
    value = value[0].permute(1, 2, 0)
    if codes is not None:
        value = (value / codes.scale).round() + codes.offset
    target = torch.from_numpy(out)
    target.copy_(value.reshape(target.shape))
