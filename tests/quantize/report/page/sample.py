"""A report as a real one would be, with pictures, from nothing but a seed.

python tests/quantize/report/page/sample.py OUT      # OUT/report.html, OUT/compare.html
"""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

NAMES = {
    "axes": ("blackswan", "camel", "parkour"),
    "named": (
        *("blackswan", "bmx-trees", "breakdance", "camel", "car-shadow"),
        *("dance-twirl", "drift-straight", "horsejump-high", "libby", "parkour"),
    ),
}
SIZES = {"axes": "240x432", "named": "480x864"}
FRAMES = 60
PARAMETERS = 1_604_729
MACS = {"axes": 1.38e9, "named": 5.5e9}
BASE = {"weights": 8, "activations": 8, "state": None}
LOST = {
    "weights": {2: 34.0, 3: 9.4, 4: 2.1, 5: 0.7, 6: 0.4, 8: 0.2},
    "activations": {4: 19.5, 6: 3.2, 8: 0.2, 16: 0.0},
    "state": {4: 12.5, 6: 6.1, 8: 2.8, 16: 0.2, None: 0.2},
}
LAYERS = 92
STRIP = ("strips/camel-37-float.jpg", "strips/camel-37-low.jpg", "strips/camel-37.jpg")

Record = dict[str, Any]


def report(seed: int = 0) -> Record:
    """A complete record."""
    draw = random.Random(seed)
    points = [_float(draw, "axes"), *_axes(draw), _float(draw, "named"), *_named(draw)]
    return {
        "schema": 1,
        "complete": True,
        "reason": None,
        "protocol": _protocol(),
        "model": {"name": "release", "sha256": "5f" * 32, "parameters": PARAMETERS},
        "seconds": 3120.0,
        "workers": 2,
        "sets": {k: {"size": SIZES[k], "sequences": list(NAMES[k])} for k in NAMES},
        "points": points,
        "sensitivity": _sensitivity(draw),
        "sensitivity_protocol": {
            "size": "240x432",
            "sequences": list(NAMES["axes"]),
            "base": "4 bits for weights or 8 for state, every third frame",
        },
        "mixed": {
            "max_drop": 1.0,
            "J&F_loss": 0.8,
            "kept": [
                {"layer": "backbone.stem.0.0", "as": "w16"},
                {"layer": "decoder.logits", "as": "float"},
            ],
            "recipe": _recipe("mixed-w4a8sfloat", 4, 8, None)
            + 'float_layers = ["decoder.logits"]\nwide_layers = ["backbone.stem.0.0"]\n',
            "tried": 11,
            "reached": True,
        },
        "stall": [_stall(bits) for bits in (4, 6, 8, 16, None)],
        "stall_words": "With a state of 8 bits the running average stalls after 38 updates and "
        "costs 2.8 points of J&F; with 16 bits it did not stall in 60 updates.",
        "worth": {
            "rolled_out": 1.4,
            "float_template": 2.6,
            "qat": -0.1,
            "words": "Calibrating on the tracker's own states is worth most after the template.",
        },
        "strips": [
            {
                "point": "axes/w4a8sfloat",
                "sequence": "camel",
                "frame": 37,
                "J_float": 81.3,
                "J_point": 34.0,
                "float": STRIP[0],
                "low": STRIP[1],
                "frame_image": STRIP[2],
            }
        ],
    }


def comparison(seed: int = 0) -> Record:
    """Two models at a few points."""
    draw = random.Random(seed)
    a, b = (_protocol() | {"model": {"name": "release", "sha256": c * 64}} for c in "ab")
    pairs = []
    for label, moved, spread in (
        *(("float", 0.0, 0.1), ("w8a8sfloat", 0.9, 0.3)),
        *(("w8a8s8", -1.6, 0.5), ("w4a8sfloat", 0.2, 0.8)),
    ):
        before = 60 + draw.uniform(0, 4)
        pairs.append(
            {
                "id": f"named/{label}",
                "a": before,
                "b": before + moved,
                "difference": moved,
                "spread": spread,
                "exceeds": abs(moved) > spread,
                "sequences": {n: {"a": before, "b": before + moved} for n in NAMES["axes"]},
            }
        )
    return {
        "schema": 1,
        "a": a,
        "b": b | {"commit": "feedbee"},
        "points": pairs,
        "only_a": ["named/qat-w8a8sfloat"],
        "only_b": [],
        "words": "B is better at w8a8sfloat and worse at w8a8s8.",
    }


def write_strips(folder: Path) -> None:
    """The pictures that the record names."""
    for path, shift in zip(STRIP, (0, 60, None), strict=True):
        picture = Image.new("RGB", (427, 240), (92, 116, 140))
        brush = ImageDraw.Draw(picture, "RGBA")
        brush.rectangle((0, 150, 427, 240), fill=(148, 130, 96))
        brush.ellipse((130, 60, 290, 200), fill=(190, 150, 90))
        if shift is not None:
            brush.ellipse((130 + shift, 60, 290, 200 - shift), fill=(213, 94, 0, 140))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / path, quality=80)


def _protocol() -> Record:
    return {
        "what": "J&F of each point, the whole tracker; latency of the model's frame",
        "engine": "simulation; litert 2.3.0 where deployable",
        "threads": 1,
        "device": "x86_64, AMD EPYC, 2 cores",
        "commit": "c06deca0a1b2",
        "seed": 0,
        "precision": "float32",
    }


def _recipe(name: str, weights: int, activations: int, state: int | None) -> str:
    lines = [f'name = "{name}"', f"weights = {weights}", f"activations = {activations}"]
    return "\n".join([*lines, *([f"state = {state}"] if state else []), 'observer = "mse"']) + "\n"


def _float(draw: random.Random, which: str) -> Record:
    point = _point(draw, which, "float", dict.fromkeys(BASE), 0.0, method="float")
    spared = {"simulated": False, "J&F_loss": None, "recipe": "", "deployable": ["litert"]}
    took = {"p50": 41.6, "p95": 44.9, "engine": "litert", "threads": 2}
    return point | spared | {"latency_ms": took if which == "named" else None}


def _axes(draw: random.Random) -> list[Record]:
    base = _point(draw, "axes", "w8a8sfloat", BASE, 0.2)
    points = [base | {"simulated": False, "deployable": ["litert", "onnxruntime"]}]
    for axis, lost in LOST.items():
        for bits, loss in lost.items():
            if bits != BASE[axis]:
                chosen = BASE | {axis: bits}
                state = chosen["state"] or "float"
                label = f"w{chosen['weights']}a{chosen['activations']}s{state}"
                points.append(_point(draw, "axes", label, chosen, loss, axis=axis))
    return points


def _named(draw: random.Random) -> list[Record]:
    took = {"p50": 16.5, "p95": 18.2, "engine": "litert", "threads": 2}
    runs = {"simulated": False, "deployable": ["litert", "onnxruntime"], "latency_ms": took}
    slow = took | {"p50": 17.1}
    alone = {"id": "named/independent-w8a8sfloat", "calibration": "independent"}
    mixed = {"weights": 4, "activations": 8, "state": None}
    return [
        _point(draw, "named", "w8a8sfloat", BASE, 0.3) | runs,
        _point(draw, "named", "w8a8sfloat", BASE, 1.7) | runs | alone,
        _point(draw, "named", "w8a8s8", BASE | {"state": 8}, 2.9) | runs | {"latency_ms": slow},
        _point(draw, "named", "w8a8sfloat", BASE, 0.4, method="qat") | runs,
        _point(draw, "named", "w4a8sfloat", mixed, 0.8, method="mixed"),
    ]


def _point(
    draw: random.Random,
    which: str,
    label: str,
    bits: dict[str, int | None],
    loss: float,
    axis: str | None = None,
    method: str = "ptq",
) -> Record:
    sequences = {name: _scores(draw, name, loss) for name in NAMES[which]}
    mean = {k: sum(s[k] for s in sequences.values()) / len(sequences) for k in ("J&F", "J", "F")}
    weights, activations = bits["weights"] or 32, bits["activations"] or 32
    return {
        "id": f"{which}/{label}" if method in ("ptq", "float") else f"{which}/{method}-{label}",
        "set": which,
        "label": label,
        "axis": axis,
        "bits": dict(bits),
        "method": method,
        "calibration": None if method == "float" else "rolled-out",
        "simulated": True,
        "deployable": [],
        **mean,
        "J&F_loss": loss,
        "spread": 0.2 + loss * 0.4,
        "sequences": sequences,
        "drift": {"first_quarter": loss * 0.3, "last_quarter": loss * 1.6, "change": loss * 1.3},
        "size_bytes": round(PARAMETERS * weights / 8) + 21_000,
        "mac_bits": round(MACS[which] * weights * activations),
        "latency_ms": None,
        "recipe": _recipe(label, weights, activations, bits["state"]),
        "seconds": 42.0,
    }


def _scores(draw: random.Random, name: str, loss: float) -> Record:
    """J falls over time, the faster the more is lost."""
    start = 95 - 3 * (sum(map(ord, name)) % 9)
    wave = [6 * math.sin(0.3 * t + len(name)) + draw.uniform(-1.5, 1.5) for t in range(1, FRAMES)]
    lost = [2 * loss * t / FRAMES for t in range(1, FRAMES)]
    j = [min(99.0, max(0.0, start - 8 + w - d)) for w, d in zip(wave, lost, strict=True)]
    mean = sum(j) / len(j)
    return {
        "J&F": mean + 1,
        "J": mean,
        "F": mean + 2,
        "J_by_frame": j,
        "frames": list(range(1, FRAMES)),
    }


def _sensitivity(draw: random.Random) -> list[Record]:
    items = [
        {
            "item": f"backbone.stage{2 + n % 3}.0.branches.{n % 4}.{n // 4}.conv{1 + n % 2}",
            "kind": "layer",
            "graph": ("encode", "embed", "decode")[n % 3],
            "bits": 4,
            "J&F_loss": 9.5 * math.exp(-n / 9) + draw.uniform(-0.2, 0.2),
            "cosine": 1 - 0.05 * math.exp(-n / 9),
            "sqnr_db": 14 + n / 4,
            "macs": round(draw.uniform(1e6, 9e7)),
        }
        for n in range(LAYERS)
    ]
    buffers = {"template": 6.8, "masks": 0.9, "s8": 0.4, "s16": 0.3}
    state = {"kind": "state", "graph": "state", "bits": 8, "cosine": 0.98, "sqnr_db": None}
    items += [{"item": n, "J&F_loss": v, "macs": None, **state} for n, v in buffers.items()]
    return sorted(items, key=lambda item: -item["J&F_loss"])


def _stall(bits: int | None) -> Record:
    """A step of 1/t moves ever fewer entries."""
    last = {4: 5, 6: 14, 8: 38}.get(bits or 0)
    moved = [1.0 if bits is None else min(1.0, (2**bits / 12) / t**1.6) for t in range(1, FRAMES)]
    if last is not None:
        moved = [m if t < last else 0.004 for t, m in enumerate(moved, start=1)]
    off = [0.0 if bits is None else 3 * 2**-bits * t**0.5 for t in range(1, FRAMES)]
    return {
        "state_bits": bits,
        "stalls": last is not None,
        "stall_update": last,
        "moved": moved,
        "distance": off,
        "J&F_loss": LOST["state"][bits],
    }


def main(folder: Path) -> None:
    """Both pages."""
    from edge_ttvos.quantize.report.page import write, write_comparison

    folder.mkdir(parents=True, exist_ok=True)
    write_strips(folder)
    write(report(), folder)
    write_comparison(comparison(), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
