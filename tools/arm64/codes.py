"""What a bundle's three graphs make of noise, for compare.py: codes.py BUNDLE OUT.npz

The noise is the same on every machine, and every graph gets its own: what differs is the graph's,
not what an earlier one handed it. Takes what a board has, no more.
"""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.engines import open_engines
from edge_ttvos.firmware_bridge.engines.base import Decoded, Embedding, Engine, Features
from edge_ttvos.firmware_bridge.engines.graphs import tensor_shapes

SPREAD = 30  # standard deviation of the noise, in codes


def noise(engine: Engine) -> dict[str, NDArray[Any]]:
    """An array for every tensor that graphs exchange, codes where the model has codes."""
    rng = np.random.default_rng(0)
    found: dict[str, NDArray[Any]] = {}
    for name, shape in sorted(tensor_shapes(engine.model).items()):
        codes = engine.model.quantization(name.removeprefix("previous_"))
        if name == "frame":
            found[name] = rng.integers(0, 256, shape, dtype=np.uint8)
        elif codes is None:
            found[name] = rng.normal(0, 1, shape).astype(np.float32)
        else:
            values = np.rint(rng.normal(codes.offset, SPREAD, shape))
            found[name] = values.clip(codes.least, codes.most).astype(codes.dtype)
    return found


def outputs(engine: Engine) -> dict[str, NDArray[Any]]:
    """Every output of every graph."""
    given = noise(engine)
    made = {name: np.zeros_like(array) for name, array in given.items()}
    features = Features(*(made[name] for name in ("s4", "s8", "s16")))
    embedding = Embedding(*(made[name] for name in ("f", "g", "q", "modified_s8")))
    decoded = Decoded(made["log_odds"], made["update_weight"])
    engine.encode(given["frame"], features)
    engine.embed(given["previous_s8"], given["masks"], given["s8"], embedding)
    engine.decode(
        Features(*(given[name] for name in ("s4", "s8", "s16"))),
        given["modified_s8"],
        given["attention"],
        given["previous_s16"],
        given["masks"],
        decoded,
    )
    results = (features, embedding, decoded)
    return {f"{type(r).__name__.lower()}.{k}": a for r in results for k, a in vars(r).items()}


def main(bundle: str, out: str) -> None:
    """Write the outputs at every size of the bundle."""
    found = {}
    for engine in open_engines(bundle):
        with closing(engine):
            frame = engine.model.frame
            size = f"{frame.height}x{frame.width}"
            found.update({f"{size}.{name}": array for name, array in outputs(engine).items()})
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
