"""What the float model scored, and what is lost against it: over the same sequences only."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.bench.config import PART
from edge_ttvos.firmware_bridge.bundle.reader import is_bundle, open_bundle

KEY = "J&F"
ADVICE = "give what `edge-ttvos eval --dataset davis2016` wrote for the float model"


@dataclass(frozen=True)
class Reference:
    """The float model's figures.

    Attributes:
        source: where they come from; None: nobody measured them.
        scores: J&F in percent by sequence.
        about: what is known of how they were made.
    """

    source: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def add_to(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """An evaluation's JSON with the float model's figures and the loss beside its own."""
        sequences = {
            name: {**figures, **_loss(figures[KEY], self.scores.get(name))}
            for name, figures in record["sequences"].items()
        }
        shared = [f for f in sequences.values() if f["J&F_loss"] is not None]
        own = fmean(f[KEY] for f in shared) if shared else None
        reference = fmean(f["J&F_float"] for f in shared) if shared else None
        return {
            **record,
            **_loss(own, reference),
            "float": {
                "source": self.source,
                "sequences": len(shared),
                "missing": [n for n, f in sequences.items() if f["J&F_loss"] is None],
                **self.about,
            },
            "sequences": sequences,
        }


def find_reference(file: Path | None, model: str) -> Reference:
    """From an eval.json, or else from a bundle's manifest.

    Raises:
        InputError: the file is no eval.json of DAVIS-2016.
        BundleError: the bundle is damaged.
    """
    if file is not None:
        return read_reference(file)
    if not is_bundle(Path(model)):
        return Reference()
    with open_bundle(Path(model)) as bundle:
        scores = bundle.manifest.float_scores
    if scores is None or scores.dataset != PART:
        return Reference()
    figures = {name: f.j_and_f for name, f in scores.sequences.items() if f.j_and_f is not None}
    return Reference("the bundle's manifest", figures)


def read_reference(file: Path) -> Reference:
    """Read an eval.json.

    Raises:
        InputError: it cannot be read, is no eval.json, or of another data set than DAVIS-2016.
    """
    try:
        record = json.loads(file.read_text("utf-8"))
        protocol, sequences = record["protocol"], record["sequences"]
        scores = {str(n): f[KEY] for n, f in sequences.items() if f[KEY] is not None}
        if not all(_is_percent(score) for score in scores.values()):
            raise ValueError("J&F must be 0 to 100")
        about = {key: protocol.get(key) for key in ("model", "sha256", "precision", "resolution")}
        dataset = protocol.get("dataset")
    except OSError as error:
        raise InputError(f"--reference {file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"--reference {file} is no eval.json ({type(error).__name__}: {error}): {ADVICE}"
        ) from error
    if dataset != PART:
        raise InputError(f"--reference {file} must be of {PART}; got {dataset!r}: {ADVICE}")
    return Reference(file.name, scores, about)


def _is_percent(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= 100


def _loss(own: float | None, reference: float | None) -> dict[str, float | None]:
    loss = None if own is None or reference is None else reference - own
    return {"J&F_float": reference, "J&F_loss": loss}
