"""A board has neither torch nor tensorflow: all that runs there must import without them.

Each import runs in a process of its own, where a finder ahead of all others says that what boards
lack is not installed. Modules are found in the tree, so that new ones are covered.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NOT_ON_BOARDS = (
    "beartype",
    "hypothesis",
    "jaxtyping",
    "pytest",
    "safetensors",
    "scipy",
    "skimage",
    "tensorflow",
    "torch",
)
HOST_ONLY = {
    "edge_ttvos.data",
    "edge_ttvos.network",
    "edge_ttvos.quantize",
    "edge_ttvos.targets",
    "edge_ttvos.training",
}
BRIDGE_MAY_IMPORT = {
    "contracts",
    "errors",
    "evaluation",
    "files",
    "firmware_bridge",
    "origin",
    "records",
    "weights",
}
HEAVY = {"PIL", "av", "cv2", "numpy", "rich", "torch", "typer"}

PROBE = """
import importlib, json, sys

banned, modules = json.loads(sys.argv[1])

class Board:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in banned:
            raise ModuleNotFoundError(f"boards have no {name}", name=name)

sys.meta_path.insert(0, Board())
failed = {}
for module in modules:
    try:
        importlib.import_module(module)
    except ImportError as error:
        if error.name != module.rpartition(".")[2]:  # an engine may lack its own library
            failed[module] = str(error)
print(json.dumps({"failed": failed, "loaded": sorted(sys.modules)}))
"""


def probe(modules: list[str], folder: Path) -> tuple[dict[str, str], list[str]]:
    """Import on a would-be board, in ``folder``: errors by module, and all that is then loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps([NOT_ON_BOARDS, modules])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    return result["failed"], result["loaded"]


def modules_of(packages: dict[str, Path], within: str) -> list[str]:
    """All modules of the board's side whose name is ``within`` or begins with it."""
    found = []
    for package, folder in packages.items():
        if ".".join(package.split(".")[:2]) in HOST_ONLY:
            continue
        stems = sorted(path.stem for path in folder.glob("*.py"))
        found.append(package)
        found += [f"{package}.{stem}" for stem in stems if not stem.startswith("__")]
    return [name for name in found if f"{name}.".startswith(f"{within}.")]


def test_the_boards_side_needs_nothing_of_the_hosts(
    packages: dict[str, Path], tmp_path: Path
) -> None:
    modules = modules_of(packages, "edge_ttvos")
    assert {"edge_ttvos.errors", "edge_ttvos.firmware_bridge.tracker"} <= set(modules)

    failed, _ = probe(modules, tmp_path)

    assert failed == {}


@pytest.mark.parametrize("line", ["import torch.nn", "from edge_ttvos.network import hrnet"])
def test_a_planted_import_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(f"import numpy\n{line}\n")

    failed, _ = probe(["planted"], tmp_path)

    assert failed["planted"].startswith("boards have no torch")


def test_the_bridge_imports_only_what_it_may(packages: dict[str, Path], tmp_path: Path) -> None:
    _, loaded = probe(modules_of(packages, "edge_ttvos.firmware_bridge"), tmp_path)

    parts = {name.split(".")[1] for name in loaded if name.startswith("edge_ttvos.")}
    assert parts <= BRIDGE_MAY_IMPORT


def test_the_package_itself_imports_nothing_heavy(tmp_path: Path) -> None:
    failed, loaded = probe(["edge_ttvos"], tmp_path)

    assert failed == {}
    assert HEAVY.isdisjoint(loaded)
