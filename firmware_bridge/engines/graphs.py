"""One engine for all runtimes that run a bundle's three graph files; a runtime is a ``Session``.

A session runs one graph on arrays by the names of the export: ``frame`` → ``s4``, ``s8``, ``s16``;
``previous_s8``, ``masks``, ``s8`` (and ``coordinates``, where the graph does not hold them) →
``modified_s8``, ``f``, ``g``, ``q``; ``s4``, ``modified_s8``,
``attention``, ``s16``, ``previous_s16``, ``masks`` → ``log_odds``, ``update_weight``. Where there
is a fourth, it does a frame of one object: ``frame``, ``previous_s8``, ``previous_s16``, ``masks``,
``template``, ``step`` → ``s8``, ``s16``, ``next_template``, ``log_odds``, ``update_weight``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import SIDE_MULTIPLE, ModelSpec
from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.box_head import read_weights
from edge_ttvos.firmware_bridge.bundle.manifest import Graph, Manifest
from edge_ttvos.firmware_bridge.bundle.paths import BOX_HEAD, fused_path
from edge_ttvos.firmware_bridge.bundle.reader import Bundle, open_bundle
from edge_ttvos.firmware_bridge.codes import Array, quantize
from edge_ttvos.firmware_bridge.coordinates import coordinate_maps
from edge_ttvos.firmware_bridge.engines.base import (
    FALLBACKS,
    Decoded,
    Embedding,
    EngineInfo,
    EngineOptions,
    Features,
)

Arrays = Mapping[str, NDArray[Any]]


class Session(Protocol):
    """One graph in a runtime."""

    @property
    def device(self) -> str:
        """What it runs on."""

    @property
    def inputs(self) -> Mapping[str, tuple[int, ...]]:
        """Shape without the batch of one, by name."""

    @property
    def outputs(self) -> Mapping[str, tuple[int, ...]]:
        """Likewise."""

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Run on ``inputs`` and write ``outputs``; names that the graph does not have are idle."""


class GraphEngine:
    """Encode, embed and decode in three sessions, and all of a frame in one where there is one.

    Args:
        model: as its manifest says.
        info: the runtime.
        encode: session.
        embed: session.
        decode: session.
        fused: session, or None.

    Raises:
        EngineError: a graph's tensors have other shapes than the model's.
    """

    def __init__(
        self,
        model: ModelSpec,
        info: EngineInfo,
        encode: Session,
        embed: Session,
        decode: Session,
        fused: Session | None = None,
    ) -> None:
        self.model = model
        self.info = info
        self.held = ExitStack()  # released by close()
        self._encode, self._embed, self._decode, self._fused = encode, embed, decode, fused
        self._coordinates = coordinates_of(model)
        expected = tensor_shapes(model)
        for session in (encode, embed, decode, *([] if fused is None else [fused])):
            for name, shape in {**session.inputs, **session.outputs}.items():
                if expected.get(name) != shape:
                    raise EngineError(
                        f"model {model.name}: tensor {name} must be {expected.get(name)} as its "
                        f"manifest says; the graph has {shape}. Deploy it again"
                    )

    def encode(self, frame: NDArray[np.uint8], features: Features) -> None:
        """RGB uint8 (H + 1, W + 1, 3) → features."""
        self._encode.run({"frame": frame}, vars(features))

    def embed(self, previous_s8: Array, masks: Array, s8: Array, embedding: Embedding) -> None:
        """s8 of both frames and the masks → s8′, and f, g, q where there is a template."""
        self._embed.run(
            {
                "previous_s8": previous_s8,
                "masks": masks,
                "s8": s8,
                "coordinates": self._coordinates,
            },
            {
                "modified_s8": embedding.s8,
                "f": embedding.f,
                "g": embedding.g,
                "q": embedding.q,
            },
        )

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
        self._decode.run(
            {
                "s4": features.s4,
                "modified_s8": modified_s8,
                "attention": attention,
                "s16": features.s16,
                "previous_s16": previous_s16,
                "masks": masks,
            },
            vars(decoded),
        )

    @property
    def fuses(self) -> bool:
        """Whether ``fused`` can be called."""
        return self._fused is not None

    def fused(
        self,
        frame: NDArray[np.uint8],
        before: Features,
        masks: Array,
        template: Array,
        step: Array,
        now: Features,
        next_template: Array,
        decoded: Decoded,
    ) -> None:
        """A frame of one object, as ``base.Fusing`` says."""
        assert self._fused is not None
        self._fused.run(
            {
                "frame": frame,
                "previous_s8": before.s8,
                "previous_s16": before.s16,
                "masks": masks,
                "template": template,
                "step": step,
            },
            {"s8": now.s8, "s16": now.s16, "next_template": next_template, **vars(decoded)},
        )

    def close(self) -> None:
        """Drop the sessions, and with them what their runtimes hold; then the bundle."""
        del self._encode, self._embed, self._decode, self._fused
        self.held.close()


def coordinates_of(model: ModelSpec) -> Array:
    """Coordinates (h8, w8, 3) for graphs that do not hold them, as values or codes."""
    maps = coordinate_maps(*model.frame.at(8))
    quantization = model.quantization("coordinates")
    if quantization is None:
        return maps
    codes = np.empty(maps.shape, quantization.dtype)
    quantize(maps, quantization, codes)
    return codes


def tensor_shapes(model: ModelSpec) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor that the graphs exchange, without the batch of one."""
    frame, c = model.frame, model.template_channels
    h8 = frame.at(8)
    s8, s16 = (*h8, 32), (*frame.at(16), 192)
    return {
        "frame": frame.input_shape,
        "s4": (*frame.at(4), 16),
        "s8": s8,
        "s16": s16,
        "previous_s8": s8,
        "previous_s16": s16,
        "masks": (*h8, 2 * model.mask_history),
        "coordinates": (*h8, 3),
        **dict.fromkeys(("modified_s8", "f", "g", "q", "attention"), (*h8, c)),
        **dict.fromkeys(("template", "next_template"), (c, c)),
        "step": (1,),
        "log_odds": (frame.height, frame.width),
        "update_weight": (1,),
    }


def open_graphs(
    name: str,
    version: str,
    session: Callable[[Path, int], Session],
    model: str,
    options: EngineOptions,
) -> GraphEngine:
    """Open a bundle's graphs of one size in a runtime.

    Args:
        name: the engine's.
        version: of its library.
        session: loads one graph file for a number of threads.
        model: a bundle's folder or archive.
        options: a size is rounded up to multiples of 16 and must be one of the bundle's; without
            one, its first.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: it was made for another engine, has no such size, or does not load.
    """
    threads = options.threads or os.cpu_count() or 1
    with ExitStack() as stack:
        bundle = stack.enter_context(open_bundle(Path(model)))
        manifest = bundle.manifest
        if name not in (manifest.engine, *FALLBACKS.get(manifest.engine, ())):
            raise EngineError(
                f"bundle {model} was made for engine {manifest.engine}, not {name}: leave --engine "
                f"out, or deploy with --engine {name}"
            )
        graph = choose(manifest, options.size)
        names = [*graph.paths, fused_path(graph.encode)]
        files = [bundle.folder / name for name in names if name in manifest.files]
        try:
            sessions = [session(file, threads) for file in files]
        except Exception as error:  # each runtime raises its own
            raise EngineError(
                f"{name} {version} cannot load {model}: {error}; the bundle was tested with "
                f"{', '.join(manifest.engine_versions)}"
            ) from error
        devices = " and ".join(dict.fromkeys(session.device for session in sessions))
        info = EngineInfo(name, version, devices, threads)
        spec = replace(manifest.model_spec(graph.size), box_head=_box_head(bundle))
        engine = GraphEngine(spec, info, *sessions)
        engine.held = stack.pop_all()  # runtimes may map the files: they stay until close()
    return engine


def _box_head(bundle: Bundle) -> NDArray[np.float32] | None:
    """Its weights, where the bundle has them."""
    if BOX_HEAD not in bundle.manifest.files:
        return None
    return read_weights((bundle.folder / BOX_HEAD).read_bytes())


def choose(manifest: Manifest, size: tuple[int, int] | None) -> Graph:
    """The graph of a size, or the first.

    Raises:
        EngineError: there is no graph of that size.
    """
    if size is None:
        return manifest.graphs[0]
    wanted = tuple(-(-side // SIDE_MULTIPLE) * SIDE_MULTIPLE for side in size)
    for graph in manifest.graphs:
        if graph.size == wanted:
            return graph
    sizes = ", ".join(f"{h}x{w}" for h, w in manifest.sizes)
    raise EngineError(
        f"the bundle has no graph of {size[0]}x{size[1]}, only of {sizes}: leave --size out, or "
        "deploy with this --size too"
    )
