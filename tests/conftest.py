"""What all tests share: one copy of the package, checked shapes, real data where there is any."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tomllib
from hypothesis import settings
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parent.parent

# `python -m pytest` puts the checkout on the path, where firmware_bridge/ would be importable a
# second time, under its folder's name and with other classes.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]

# Before any of them is imported: every annotated shape is checked on every call.
install_import_hook(
    ["edge_ttvos.network", "edge_ttvos.training", "edge_ttvos.data"], "beartype.beartype"
)

# Before torch is imported: small maps on many threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "2")

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def packages() -> dict[str, Path]:
    """Folder of every package that pyproject.toml lists, by import name."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]
    folders = {}
    for name in listed["packages"]:
        part = max((p for p in listed["package-dir"] if f"{name}.".startswith(f"{p}.")), key=len)
        inside = name.removeprefix(part).strip(".").split(".")
        folders[name] = ROOT.joinpath(listed["package-dir"][part], *inside)
    return folders


@pytest.fixture(scope="session")
def clip_server() -> ModuleType:
    """The example that plays a clip like a network camera."""
    spec = importlib.util.spec_from_file_location("serve_clip", ROOT / "examples/serve_clip.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """Within it no file of this process may grow beyond 64 KiB, as if the disk were full.

    Only within: a limit that outlives the call also ends a longer log of the tests themselves.
    """

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data that EDGE_TTVOS_DATA names; skips where it names none."""
    if not (named := os.environ.get("EDGE_TTVOS_DATA")):
        pytest.skip("EDGE_TTVOS_DATA is not set: no real data to test with")
    folder = Path(named)
    assert folder.is_dir(), f"EDGE_TTVOS_DATA must name a folder; got {named}"
    return folder


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """The bundle of a checkpoint for an engine, made once: exporting takes a while."""

    def make(engine: str, checkpoint: Path) -> Path:
        from edge_ttvos.targets.base import known_targets
        from edge_ttvos.targets.deploy import deploy
        from edge_ttvos.targets.models import load_deployable
        from edge_ttvos.targets.order import Order

        name = f"{engine}-{hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:12]}"
        if name not in made:
            others = [t for t in known_targets().values() if engine in t.engines]
            target = next((t for t in others if t.name == "host"), others[0])
            model = load_deployable(checkpoint)
            deploy(Order(target, model, (model.size,), engine, threads=1), folder / name)
            made.add(name)
        return folder / name

    made: set[str] = set()
    folder = tmp_path_factory.mktemp("bundles")
    return make


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], tuple[Path, ...]]:
    """Small graphs of an engine in a form, ``exported(engine, form)``; made once."""

    def make(engine: str, form: Any) -> tuple[Path, ...]:
        from edge_ttvos.targets.supported_ops import small_graphs

        if (engine, form) not in made:
            made[engine, form] = small_graphs(tmp_path_factory.mktemp(engine), engine, form)
        return made[engine, form]

    made: dict[tuple[str, Any], tuple[Path, ...]] = {}
    return make
