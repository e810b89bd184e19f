"""What a deployment for coral tells, on graphs exported for it; the compiler is a script."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_ttvos.errors import EngineError, ExportError
from edge_ttvos.targets.base import Target, find_target
from edge_ttvos.targets.constraints import DOES_NOT_MAP, MAPS, UNKNOWN
from edge_ttvos.targets.edgetpu import eight_bit, survey
from edge_ttvos.targets.edgetpu.mapping import ON_CHIP
from edge_ttvos.targets.operators import read_operators

pytestmark = pytest.mark.slow  # graphs are exported, once for all tests

SIZE = (48, 80)
Files = Callable[[Target, str], tuple[Path, ...]]


def none_asked(size: tuple[int, int], folder: Path) -> tuple[Path, ...]:
    raise AssertionError(f"{size}: no other size was asked for")


@pytest.fixture
def graphs(graph_files: Files, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    """encode, embed and decode in float32; no compiler on PATH."""
    for library in ("ai_edge_litert", "ai_edge_quantizer", "litert_torch"):
        pytest.importorskip(library)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return graph_files(find_target("coral"), "litert")


@pytest.fixture
def codes(graphs: tuple[Path, ...], tmp_path: Path) -> tuple[Path, ...]:
    """The same with 8-bit codes, in a folder of their own."""
    folder = tmp_path / "codes"
    folder.mkdir()
    return tuple(eight_bit.eight_bit_copy(path, folder) for path in graphs)


def test_a_copy_has_codes_throughout_and_the_original_stays(
    graphs: tuple[Path, ...], codes: tuple[Path, ...]
) -> None:
    for original, copy in zip(graphs, codes, strict=True):
        assert not eight_bit.has_codes(read_operators(original))
        assert eight_bit.has_codes(read_operators(copy))


def test_nothing_of_the_plain_form_is_beyond_the_edge_tpu_but_the_first_change_of_types(
    graphs: tuple[Path, ...],
) -> None:
    found = survey.survey_size(SIZE, graphs)
    wrong = [f for graph in found.graphs for f in graph.findings if f.verdict == DOES_NOT_MAP]
    assert {finding.operator for finding in wrong} == {"CAST", "QUANTIZE"}
    unknown = {f.operator for g in found.graphs for f in g.findings if f.verdict == UNKNOWN}
    assert unknown == {"RESIZE_BILINEAR", "RESHAPE"}
    assert found.share(MAPS, "macs", together=False) == 1
    assert 0.7 < found.share(MAPS, "macs") < 0.8
    assert sum(found.share(v, "operators") for v in (MAPS, UNKNOWN, DOES_NOT_MAP)) == pytest.approx(
        1
    )
    assert found.copies
    assert found.parameter_bytes < ON_CHIP


def test_the_ordinary_form_maps_less(graph_files: Files, graphs: tuple[Path, ...]) -> None:
    ordinary = graph_files(find_target("host"), "litert")
    wrong = {
        finding.operator
        for graph in survey.survey_size(SIZE, ordinary).graphs
        for finding in graph.findings
        if finding.verdict == DOES_NOT_MAP
    }
    assert {"LEAKY_RELU", "TRANSPOSE"} <= wrong


def test_a_survey_says_all_of_it(graphs: tuple[Path, ...]) -> None:
    found = survey.survey(none_asked, {SIZE: graphs})
    record = found.to_json()
    assert record["best_size"] == list(SIZE)
    assert "edgetpu_compiler is not on PATH" in record["compiler"]
    (size,) = record["sizes"]
    assert (size["judged"], size["compiler"]) == ("8-bit copies", [])
    title, columns, rows = found.table()
    assert "Edge TPU" in title
    assert {len(row) for row in rows} == {len(columns)}
    notes = "\n".join(found.notes())
    for told in ("11 RESIZE_BILINEAR unknown: ", "float32, for the CPU", "x86-64 Linux only"):
        assert told in notes


def test_other_sizes_are_written_judged_and_thrown_away(graphs: tuple[Path, ...]) -> None:
    """Graphs of one size stand for those of another: writing them is tested elsewhere."""
    written: list[tuple[tuple[int, int], Path]] = []

    def write(size: tuple[int, int], folder: Path) -> list[Path]:
        written.append((size, folder))
        return [Path(shutil.copy(path, folder)) for path in graphs]

    told: list[str] = []
    found = survey.survey(
        write, {SIZE: graphs}, [SIZE, (32, 64)], lambda what, share: told.append(what)
    )
    assert [it.size for it in found.sizes] == [(32, 64), SIZE]
    assert told == ["Edge TPU: 32x64"]
    ((size, folder),) = written
    assert size == (32, 64)
    assert not folder.exists()


def test_graphs_with_codes_get_their_compiled_form_beside_them(
    codes: tuple[Path, ...], compiler: Callable[..., None], printed: Callable[..., str]
) -> None:
    compiler(printed())
    found = survey.survey_size(SIZE, codes)
    assert not found.copies
    assert [log.mapped for log in found.logs] == [14] * 3
    assert any("were judged to map" in line for line in found.contradictions)
    assert {p.name for p in codes[0].parent.glob("*_edgetpu.*")} == {
        f"{path.stem}_edgetpu.tflite" for path in codes
    }


def test_a_compiled_graph_that_breaks_a_limit_fails_the_deployment(
    codes: tuple[Path, ...], compiler: Callable[..., None], printed: Callable[..., str]
) -> None:
    compiler(printed(off_chip="2.00MiB"))
    with pytest.raises(ExportError, match="at most 0 bytes of parameters"):
        survey.survey_size(SIZE, codes)


def test_copies_are_compiled_for_the_report_alone(
    graphs: tuple[Path, ...], compiler: Callable[..., None], printed: Callable[..., str]
) -> None:
    compiler(printed(off_chip="2.00MiB"))
    found = survey.survey_size(SIZE, graphs)
    assert len(found.logs) == 3
    assert list(graphs[0].parent.glob("*_edgetpu.*")) == []


def test_noise_has_the_types_of_the_inputs(graphs: tuple[Path, ...]) -> None:
    encode, embed, _ = (eight_bit.noise(path) for path in graphs)
    assert encode["frame"].dtype == np.uint8
    assert {array.dtype for array in embed.values()} == {np.dtype(np.float32)}


def test_without_the_quantizer_the_remedy_is_told(
    graphs: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_quantizer", None)
    with pytest.raises(EngineError, match="pip install ai-edge-quantizer"):
        eight_bit.eight_bit_copy(graphs[0], tmp_path)
