"""Checkpoints: safetensors with the network's configuration and origin in the header, no pickle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from edge_ttvos.errors import ModelError
from edge_ttvos.files import write_bytes
from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.records import build, typed

SCHEMA = "1"
QUANTIZED = "quantized"  # kind in the header of such models; a float network's has none


@dataclass(frozen=True)
class Checkpoint:
    """A network with its weights, in eval mode, and where it comes from.

    Attributes:
        network: on the CPU.
        size: height and width in pixels that it runs best at.
        origin: what training recorded: recipe, commit, steps, hours, data.
        sha256: of the file.
    """

    network: TTVOS
    size: tuple[int, int]
    origin: dict[str, Any]
    sha256: str


def save_checkpoint(
    path: Path, network: TTVOS, size: tuple[int, int], origin: dict[str, Any]
) -> None:
    """Write the inference weights; whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    weights = {key: value.detach().contiguous() for key, value in network.state_dict().items()}
    metadata = {
        "schema": SCHEMA,
        "config": json.dumps(asdict(network.config)),
        "size": json.dumps(size),
        "origin": json.dumps(origin),
    }
    write_bytes(path, save(weights, metadata))


def is_quantized(path: Path) -> bool:
    """Whether a safetensors file holds a quantized model; False for what is none or unreadable."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("kind") == QUANTIZED
    except (OSError, SafetensorError):
        return False


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ModelError: the file is missing, not a checkpoint, of a newer schema, or its tensors do not
            fit the network that its own header describes.
    """
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ModelError(f"model {path} cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise ModelError(
            f"model {path} is not a safetensors file or is cut off: {error}"
        ) from error
    config, size, origin = _header(path, metadata)
    return Checkpoint(_network(path, config, weights), size, origin, sha256)


def _header(
    path: Path, metadata: dict[str, str]
) -> tuple[NetworkConfig, tuple[int, int], dict[str, Any]]:
    schema = metadata.get("schema")
    if metadata.get("kind") == QUANTIZED:
        raise ModelError(
            f"model {path} is quantized already; what was asked for needs the float checkpoint "
            "that it was made of"
        )
    if schema != SCHEMA:
        raise ModelError(
            f"model {path} has checkpoint schema {schema or 'none'}, this version reads {SCHEMA}: "
            "it was not written by edge-ttvos, or by a newer one"
        )
    try:
        config, size, origin = (json.loads(metadata[key]) for key in ("config", "size", "origin"))
        if not (isinstance(config, dict) and isinstance(origin, dict)):
            raise ValueError("config and origin must be JSON objects")
        height, width = typed(size, tuple[int, int], "size")
        if height < 1 or width < 1:
            raise ValueError(f"size must be two positive numbers; got {size}")
        return build(NetworkConfig, config), (height, width), origin
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"model {path} has an unusable header: {error}") from error


def _network(path: Path, config: NetworkConfig, weights: dict[str, torch.Tensor]) -> TTVOS:
    with torch.device("meta"):  # shapes without memory: the header may claim anything
        expected = TTVOS(config).state_dict()
    missing = sorted(set(expected) - set(weights))
    unexpected = sorted(set(weights) - set(expected))
    shared = [key for key in expected if key in weights]
    faults = {
        "lacks": missing,
        "has unknown": unexpected,
        "has misshapen": [k for k in shared if weights[k].shape != expected[k].shape],
        "has mistyped": [k for k in shared if weights[k].dtype != expected[k].dtype],
        "has NaN or infinity in": [k for k in shared if not weights[k].isfinite().all()],
    }
    for what, names in faults.items():
        if names:
            raise ModelError(
                f"model {path} {what} tensor {names[0]} ({len(names)} in all): its weights do not "
                f"fit its own configuration {config.name!r}; train or download it again"
            )
    network = TTVOS(config)
    network.load_state_dict(weights)
    return network.eval()
