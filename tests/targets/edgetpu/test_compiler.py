from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.errors import ExportError
from edge_ttvos.targets.edgetpu.compiler import absence, compile_graph

Printed = Callable[..., str]


def test_without_the_compiler_it_is_told_that_it_is_for_x86_64_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert "x86-64 Linux only, and this machine is aarch64" in (absence() or "")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert "this machine" not in (absence() or "")


def test_a_graph_is_compiled_beside_itself(
    compiler: Callable[..., None], printed: Printed, tmp_path: Path
) -> None:
    compiler(printed())
    graph = tmp_path / "encode.tflite"
    graph.write_bytes(b"a graph")
    assert absence() is None
    done = compile_graph(graph, tmp_path)
    assert done.file == tmp_path / "encode_edgetpu.tflite"
    assert (done.file.read_bytes(), done.log.mapped) == (b"a graph", 14)


@pytest.mark.parametrize(("code", "output"), [(1, True), (0, False)], ids=["code", "no file"])
def test_a_compiler_that_leaves_nothing_is_an_error(
    code: int, output: bool, compiler: Callable[..., None], printed: Printed, tmp_path: Path
) -> None:
    compiler(printed(), code, output)
    graph = tmp_path / "encode.tflite"
    graph.write_bytes(b"a graph")
    with pytest.raises(ExportError, match=r"must leave encode_edgetpu.tflite.*ended with"):
        compile_graph(graph, tmp_path)


def test_a_compiler_of_another_version_is_an_error(
    compiler: Callable[..., None], printed: Printed, tmp_path: Path
) -> None:
    compiler(printed("17.0.1"))
    with pytest.raises(ExportError, match=r"got version 17\.0\.1"):
        compile_graph(tmp_path / "encode.tflite", tmp_path)


def test_a_compiler_that_does_not_start_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ExportError, match=r"edgetpu_compiler could not be run on encode\.tflite"):
        compile_graph(tmp_path / "encode.tflite", tmp_path)
