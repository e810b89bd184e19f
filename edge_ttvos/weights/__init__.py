"""The weights that come with the package, and how ``--model`` names a checkpoint."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from edge_ttvos.errors import ModelError

FOLDER = Path(__file__).parent
SHIPPED = {"release": FOLDER / "release.safetensors"}
DEFAULT = "release"
BUNDLES = {"release-int8": FOLDER / "release-int8.ettvos"}  # INT8, for LiteRT on any CPU
LICENSE_NOTE = (
    "CC BY-NC 4.0, non-commercial: trained on DAVIS-2016 (CC BY-NC 4.0) and DUTS (research use); "
    "the code is Apache-2.0"
)
RUN_FILES = ("model.safetensors", "quantized.safetensors")  # what runs leave in their folders


def find_model(model: str) -> str:
    """What a shipped model's name stands for; other names as they are.

    ``default`` is the float checkpoint, or the INT8 bundle where PyTorch is not installed.
    """
    name = "release-int8" if model == "default" and not _torch_is_there() else model
    return str(BUNDLES[name]) if name in BUNDLES else model


def _torch_is_there() -> bool:
    try:
        return find_spec("torch") is not None
    except ImportError:
        return False


def find_checkpoint(model: str) -> Path:
    """The checkpoint file that ``default``, a shipped name, a file or a run's folder stands for.

    Raises:
        ModelError: there is none.
    """
    name = DEFAULT if model == "default" else model
    if name in SHIPPED:
        return SHIPPED[name]
    path = Path(name)
    if path.is_dir():
        for name in RUN_FILES:
            if (path / name).is_file():
                return path / name
        raise ModelError(
            f"folder {path} holds none of {', '.join(RUN_FILES)}: give the --out of train or "
            "quantize"
        )
    if path.is_file():
        return path
    shipped = ", ".join(["default", *SHIPPED])
    raise ModelError(
        f"there is no model {model!r}: give {shipped}, a .safetensors file, or the --out folder of "
        f"train or quantize; track, eval, bench and live also take {', '.join(BUNDLES)} or a bundle"
    )
