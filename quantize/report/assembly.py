"""The whole record, at any moment of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_ttvos import origin
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.quantize.recipe import as_toml
from edge_ttvos.quantize.report import sensitivity
from edge_ttvos.quantize.report.order import Order
from edge_ttvos.quantize.report.record import measured
from edge_ttvos.quantize.report.run import Gathered
from edge_ttvos.quantize.report.stall_words import stall_rows, stall_words
from edge_ttvos.quantize.report.study import Part
from edge_ttvos.quantize.report.worth import worth

WHAT = (
    "J&F, J and F of DAVIS-2016 in percent, mask init, one object; float by PyTorch; points of 8 "
    "bits by LiteRT's integers; all others simulated: PyTorch rounds each value to its codes. "
    "Losses are against float on the same sequences; spread is the standard deviation of a "
    "sequence's loss over the sequences. Latency: a frame in LiteRT, from RGB in memory to its "
    "mask, measured alone"
)


def assemble(
    order: Order,
    checkpoint: Checkpoint,
    gathered: Gathered,
    seconds: float,
    workers: int,
    why: str | None = None,
) -> dict[str, Any]:
    """report.json; ``why`` it is not complete.

    Args:
        order: what was asked for.
        checkpoint: the float model.
        gathered: what is finished.
        seconds: that all runs took.
        workers: processes that worked.
        why: None if all is done.
    """
    points = measured(gathered.scores)
    for point in points:
        point["latency_ms"] = gathered.latency.get(point["id"])
    rows = [] if gathered.stall is None else stall_rows(gathered.stall, points)
    steps = [] if gathered.stall is None else gathered.stall["steps"]
    study = order.study
    network = checkpoint.network
    return {
        "schema": 1,
        "complete": why is None,
        "reason": why,
        "protocol": _protocol(order, checkpoint, gathered),
        "model": {
            "name": _name(checkpoint),
            "sha256": checkpoint.sha256,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
        },
        "seconds": round(seconds, 1),
        "workers": workers,
        "sets": {"axes": _set(study.axes), "named": _set(study.named)},
        "points": points,
        "sensitivity": gathered.sensitivity,
        "sensitivity_protocol": _sensitivity(order),
        "mixed": _mixed(order, gathered),
        "stall": rows,
        "stall_words": stall_words(rows, steps),
        "worth": worth(points),
        "strips": gathered.strips,
    }


def _protocol(order: Order, checkpoint: Checkpoint, gathered: Gathered) -> dict[str, Any]:
    study = order.study
    commits = {kept["commit"] for _, kept in gathered.scores.values()} | {origin.commit()}
    engines = {
        f"{k['result']['engine']} {k['result']['engine_version']}"
        for _, k in gathered.scores.values()
    }
    return bare_protocol(
        resolution="x".join(map(str, study.axes.size)),
        objects=1,
        threads=1,
        engine=", ".join(sorted(engines)) or None,
        device=device(),
        timed="latency alone; see what",
        seed=study.recipe.seed,
        model=_name(checkpoint),
        precision="fp32 and the bits of each point",
        sha256=checkpoint.sha256,
        dataset="davis2016",
        init="mask",
        calibration=vars(study.recipe.calibration),
        calibrated_on=[name for name, _ in study.material],
        chosen_on=list(study.choosing),
        commits=sorted(filter(None, commits)),
        what=WHAT,
    )


def _name(checkpoint: Checkpoint) -> str:
    return str(checkpoint.origin.get("name", checkpoint.network.config.name))


def _set(part: Part) -> dict[str, Any]:
    return {"size": "x".join(map(str, part.size)), "sequences": list(part.sequences)}


def _sensitivity(order: Order) -> dict[str, Any]:
    weights, activations = sensitivity.LAYER_BITS
    state = sensitivity.STATE_BITS
    return {
        "size": "x".join(map(str, order.study.axes.size)),
        "sequences": list(order.study.ranked),
        "base": "float32",
        "what": (
            f"each layer alone: its kernel in {weights} bits and its result in {activations}; each "
            f"buffer of the state alone: in {state} bits; all else float32. Few bits, so that what "
            "a layer loses stands out of the noise. Cosine and SQNR: of the layer's result on the "
            "float model's own inputs, against its float result. Simulated"
        ),
    }


def _mixed(order: Order, gathered: Gathered) -> Mapping[str, Any] | None:
    if gathered.mixed is None:
        return None
    found, recipe = gathered.mixed
    return {
        "base": order.start.bits,
        "max_drop": order.max_drop,
        "J&F_loss": round(found.loss, 3),
        "kept": [{"layer": layer, "as": how} for layer, how in found.kept],
        "recipe": as_toml(recipe),
        "tried": found.tried,
        "reached": found.reached,
        "sequences": list(order.study.choosing),
        "simulated": bool(recipe.simulated),
    }
