"""What targets/base.py promises, for every target that is found, on graphs exported for it.

A new target is tested as soon as its file is there.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomllib
from packaging.requirements import Requirement

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.firmware_bridge.engines.base import FALLBACKS
from edge_ttvos.targets.base import Target, find_target, known_targets
from edge_ttvos.targets.constraints import check, problems
from edge_ttvos.targets.delegation import left_by_xnnpack, refused_by_openvino
from edge_ttvos.targets.export import FORMATS

_PATH = Path(__file__).parent.parent / "targets" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("target_fixtures", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

graph_files = _MODULE.graph_files

EXTRA = re.compile(r"\[([\w,-]+)\]")
MODULES = {  # that read an engine's graphs
    "litert": "ai_edge_litert",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "tensorrt": "onnx",
}
HEAVY = ("torch", "tensorrt", *MODULES.values())
TARGETS = list(known_targets().values())
PAIRS = [pytest.param(t, e, id=f"{t.name}-{e}") for t in TARGETS for e in t.engines]

Files = Callable[[Target, str], tuple[Path, ...]]


def having(engine: str) -> list[Any]:
    """The targets that run an engine."""
    return [pytest.param(t, id=t.name) for t in TARGETS if engine in t.engines]


@pytest.fixture(params=TARGETS, ids=lambda target: target.name)
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.param
    return found


@pytest.fixture(scope="module")
def extras(root: Path) -> dict[str, list[str]]:
    """Optional dependencies of pyproject.toml by extra."""
    with (root / "pyproject.toml").open("rb") as file:
        listed: dict[str, Any] = tomllib.load(file)
    found: dict[str, list[str]] = listed["project"]["optional-dependencies"]
    return found


def test_all_boards_are_found() -> None:
    assert {"coral", "host", "jetson", "raspberry-pi"} <= set(known_targets())


def test_the_record_is_whole(target: Target) -> None:
    assert find_target(target.name) is target
    assert re.fullmatch(r"[a-z][a-z0-9-]*", target.name)
    assert target.engines
    assert len(set(target.engines)) == len(target.engines)
    assert set(target.engines) <= set(FORMATS)
    assert set(target.engines) == set(target.requirements) == set(target.constraints)
    assert set(target.engines) <= set(target.forms)
    assert target.memory.arena_bytes > 0
    for text in (target.title, target.verified, target.throttling, target.memory.reason):
        assert text.strip() == text != ""


def test_sizes_are_graphs_sizes(target: Target) -> None:
    for size in target.sizes:
        FrameSpec(*size)


def test_systems_bring_a_python_that_we_run_on(target: Target) -> None:
    assert target.systems
    for system in target.systems:
        major, minor = map(int, system.python.split("."))
        assert (major, minor) >= (3, 10), system
        assert system.install, system


def test_requirements_are_those_of_the_engines_extra(
    target: Target, extras: dict[str, list[str]]
) -> None:
    for engine in target.engines:
        wanted = [Requirement(line) for line in target.requirements[engine]]
        named = next(e for e in (engine, *FALLBACKS.get(engine, ())) if e in extras)
        announced = [Requirement(line) for line in extras[named]]
        names = {r.name for r in announced}
        assert names <= {r.name for r in wanted}
        for requirement in (r for r in wanted if r.name in names):
            lower = [s.version for s in requirement.specifier if s.operator == ">="]
            assert lower == [
                s.version for r in announced for s in r.specifier if r.name == requirement.name
            ]
            assert any(s.operator == "<" for s in requirement.specifier), requirement


def test_install_commands_name_extras_that_are_there(
    target: Target, extras: dict[str, list[str]]
) -> None:
    for system in target.systems:
        for command in system.install:
            named = {name for found in EXTRA.findall(command) for name in found.split(",")}
            assert named <= set(extras), command


def test_every_constraint_has_its_message(target: Target) -> None:
    for constraints in target.constraints.values():
        messages = [constraint.message for constraint in constraints]
        assert len(set(messages)) == len(messages) > 0
        assert all(re.fullmatch(r"[A-Z][^|\n]+\.", message) for message in messages), messages


def test_describing_targets_takes_neither_torch_nor_an_engine() -> None:
    code = "import sys; from edge_ttvos.targets.base import known_targets; known_targets()\n"
    code += f"print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(("target", "engine"), PAIRS)
def test_exported_graphs_meet_the_constraints(
    target: Target, engine: str, graph_files: Files
) -> None:
    pytest.importorskip(MODULES[engine])
    files = graph_files(target, engine)

    findings = check(target, engine, files)

    assert {finding.file for finding in findings} == {path.name for path in files}
    assert len(findings) > 100
    assert problems(findings) == []


@pytest.mark.slow
@pytest.mark.parametrize("target", having("litert"))
def test_xnnpack_leaves_nothing_but_the_frames_cast(target: Target, graph_files: Files) -> None:
    pytest.importorskip("ai_edge_litert")
    encode, embed, decode = graph_files(target, "litert")

    assert left_by_xnnpack(encode) == ("CAST",)
    assert left_by_xnnpack(embed) == left_by_xnnpack(decode) == ()


@pytest.mark.slow
@pytest.mark.parametrize("target", having("openvino"))
def test_openvino_refuses_nothing(target: Target, graph_files: Files) -> None:
    pytest.importorskip("openvino")

    for path in graph_files(target, "openvino"):
        assert refused_by_openvino(path) == ()
