"""What is shipped: the wheel and the sdist, built from a copy of the tree, listed and installed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from importlib import metadata
from pathlib import Path

import pytest

PARTS = ("edge_ttvos", "firmware_bridge", "quantize", "targets")
SHIPPED_BESIDE_CODE = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
LEFTOVERS = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
BASE_INSTALL = {"av", "numpy", "opencv-python-headless", "pillow", "rich", "threadpoolctl", "typer"}

BUILD = "import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
IMPORT = """
import importlib, sys
from importlib import metadata

target, modules = sys.argv[1], sys.argv[2:]
sys.path.insert(0, target)
absent = set()
for module in modules:
    try:
        found = importlib.import_module(module).__file__
    except ModuleNotFoundError as error:
        assert error.name == module.rpartition(".")[2], error  # an engine may lack its library
        absent.add(module)
        continue
    assert found.startswith(target), f"{module} comes from {found}"
for group in ("console_scripts", "edge_ttvos.engines"):
    for entry in metadata.entry_points(group=group):
        if entry.value.startswith("edge_ttvos") and entry.module not in absent:
            assert callable(entry.load()), entry
"""


def python(*arguments: str | Path, cwd: Path) -> None:
    """Run this Python; what it printed is the message if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def build(kind: str, tree: Path, out: Path) -> Path:
    """Build a ``wheel`` or an ``sdist`` without network; its path."""
    out.mkdir()
    python("-c", BUILD.format(kind=kind), out, cwd=tree)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def tree(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what packages are built from, without anything that earlier builds left."""
    copy = tmp_path_factory.mktemp("tree")
    for name in filter(lambda name: (root / name).is_dir(), PARTS):
        shutil.copytree(root / name, copy / name, ignore=LEFTOVERS)
    for name in filter(lambda name: (root / name).is_file(), SHIPPED_BESIDE_CODE):
        shutil.copy(root / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree."""
    return build("wheel", tree, tmp_path_factory.mktemp("built") / "wheel")


def held(wheel: Path) -> set[str]:
    """Names in a wheel, its version cut from the name of the folder of metadata."""
    names = zipfile.ZipFile(wheel).namelist()
    return {re.sub(r"^edge_ttvos-[^/]+\.dist-info", "dist-info", name) for name in names}


def test_listed_packages_are_the_tree(root: Path, packages: dict[str, Path]) -> None:
    folders = {code.parent for part in PARTS for code in (root / part).rglob("*.py")}

    assert set(packages.values()) == folders
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_the_wheel_holds_the_tree_and_nothing_else(
    tree: Path, wheel: Path, root: Path, packages: dict[str, Path]
) -> None:
    code = {
        Path(*package.split("."), file.name).as_posix()
        for package, folder in packages.items()
        for file in (tree / folder.relative_to(root)).iterdir()
        if file.is_file()
    }
    recipes = (tree / "edge_ttvos" / "training" / "recipes").glob("*.toml")
    page = (tree / "firmware_bridge" / "live" / "page").iterdir()
    templates = (tree / "quantize" / "report" / "page" / "templates").iterdir()
    data = {recipe.relative_to(tree).as_posix() for recipe in recipes}
    data |= {f"edge_ttvos/{file.relative_to(tree).as_posix()}" for file in (*page, *templates)}
    about = {
        f"dist-info/{name}"
        for name in (
            "METADATA",
            "RECORD",
            "WHEEL",
            "entry_points.txt",
            "licenses/LICENSE",
            "licenses/edge_ttvos/weights/LICENSE",
            "top_level.txt",
        )
    }

    assert held(wheel) == code | data | about
    assert {"edge_ttvos/py.typed", "edge_ttvos/weights/LICENSE"} <= code
    assert data


def test_the_sdist_builds_the_same_wheel(
    tree: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdist = build("sdist", tree, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()

    assert held(build("wheel", unpacked, tmp_path / "wheel")) == held(wheel)


def test_the_base_install_is_the_boards(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    about = message_from_string(archive.read(name).decode())
    required = [line for line in about.get_all("Requires-Dist", []) if "extra ==" not in line]

    assert {re.split(r"[^\w.-]", line)[0] for line in required} == BASE_INSTALL


def test_the_installed_wheel_imports_whole(
    wheel: Path, packages: dict[str, Path], tmp_path: Path
) -> None:
    target = tmp_path / "site"
    python(
        "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, wheel, cwd=tmp_path
    )
    modules = [
        f"{package}.{file.stem}"
        for package, folder in packages.items()
        for file in folder.glob("*.py")
        if not file.name.startswith("__")
    ]

    python("-I", "-c", IMPORT, target, *packages, *modules, cwd=tmp_path)

    assert {path.name for path in target.iterdir() if path.suffix != ".dist-info"} <= {
        "edge_ttvos",
        "bin",
    }


def test_the_checkout_is_no_second_copy() -> None:
    assert importlib.util.find_spec("edge_ttvos.firmware_bridge") is not None
    assert importlib.util.find_spec("firmware_bridge") is None


def test_the_command_is_announced() -> None:
    (entry,) = metadata.entry_points(group="console_scripts", name="edge-ttvos")

    assert entry.value == "edge_ttvos.cli:main"
