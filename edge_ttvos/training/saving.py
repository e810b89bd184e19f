"""The resumable state of a run on disk: whole or absent, and only read by the run it belongs to."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch

from edge_ttvos.errors import TrainingError
from edge_ttvos.files import write_bytes
from edge_ttvos.training.recipe import Recipe, parse_recipe


def write_state(path: Path, recipe: Recipe, state: dict[str, Any]) -> None:
    """Write a run's state beside its recipe.

    Raises:
        OutputError: it cannot be written; an older state is untouched.
    """
    buffer = io.BytesIO()
    torch.save({"recipe": json.dumps(recipe.as_dict()), **state}, buffer)
    write_bytes(path, buffer.getvalue())


def read_state(path: Path, recipe: Recipe, device: torch.device) -> dict[str, Any]:
    """Read the state of a run of this recipe.

    Raises:
        TrainingError: there is none, it is unreadable, or it belongs to another recipe.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(f"nothing to resume: {path} does not exist") from error
    except Exception as error:
        raise TrainingError(f"{path} cannot be read: {first_line(error)}") from error
    try:
        table = json.loads(state["recipe"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise TrainingError(f"{path} is not the state of a training run") from error
    if not _same(table, recipe):
        raise TrainingError(
            f"{path} belongs to another recipe than {recipe.name}: give the one it was started "
            "with, or another --out"
        )
    return state


def first_line(error: Exception) -> str:
    """What an error says, on one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _same(table: dict[str, Any], recipe: Recipe) -> bool:
    """Keys that came later have their defaults."""
    try:
        return parse_recipe(table) == recipe
    except (TrainingError, ValueError, TypeError, AttributeError):
        return False
