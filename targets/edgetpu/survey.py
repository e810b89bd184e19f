"""What a deployment tells of the Edge TPU: what maps at each size, who says so, and why not.

Judged are graphs with 8-bit codes; of float ones, copies are (``eight_bit``). Where the compiler is
installed it has the last word: 8-bit graphs then get their compiled form beside them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from edge_ttvos.targets.constraints import Finding, judged
from edge_ttvos.targets.edgetpu.compiler import absence, compile_graph
from edge_ttvos.targets.edgetpu.eight_bit import eight_bit_copy, has_codes
from edge_ttvos.targets.edgetpu.log import Limits
from edge_ttvos.targets.edgetpu.mapping import map_graph
from edge_ttvos.targets.edgetpu.record import NAME, Size, SizeSurvey, Survey
from edge_ttvos.targets.operators import read_operators
from edge_ttvos.targets.rules.edgetpu import CONSTRAINTS

ENGINE = "litert"
SIZES = ((128, 224), (192, 320), (240, 432), (256, 448), (320, 576), (480, 864))
LIMITS = Limits(least_mapped=0.0, most_off_chip=0)  # of a compiled graph: at least one operator

Write = Callable[[Size, Path], Sequence[Path]]
Listener = Callable[[str, float], None]


def survey(
    write: Write,
    graphs: Mapping[Size, Sequence[Path]],
    others: Iterable[Size] = (),
    listen: Listener = lambda what, share: None,
) -> Survey:
    """Judge a bundle's graphs, compile them where that can be, and judge other sizes beside them.

    Args:
        write: writes the graphs of another size into a folder; gives their files.
        graphs: files of the bundle by size; compiled ones are put beside those with 8-bit codes.
        others: sizes to export, judge and throw away.
        listen: called with what is being done and the share done.

    Raises:
        EngineError: a converter or quantizer is not installed.
        ExportError: an export fails, the compiler does, or it breaks ``LIMITS``.
    """
    found = [survey_size(size, files) for size, files in graphs.items()]
    others = [size for size in others if size not in graphs]
    for index, size in enumerate(others):
        listen(f"{NAME}: {size[0]}x{size[1]}", index / len(others))
        with tempfile.TemporaryDirectory() as folder:
            found.append(survey_size(size, write(size, Path(folder))))
    return Survey(tuple(sorted(found, key=lambda it: it.size)), absence())


def findings(files: Sequence[Path]) -> list[Finding]:
    """Every operator of float graphs, judged alone on 8-bit copies of them.

    Raises:
        EngineError, ExportError: as ``survey``.
    """
    with tempfile.TemporaryDirectory() as name:
        copies = [eight_bit_copy(file, Path(name)) for file in files]
        return [f for copy in copies for f in judged(copy.name, read_operators(copy), CONSTRAINTS)]


def survey_size(size: Size, files: Sequence[Path]) -> SizeSurvey:
    """Judge the graphs of one size, and compile them where that can be.

    Raises:
        EngineError, ExportError: as ``survey``.
    """
    copied = not any(has_codes(read_operators(file)) for file in files)
    with tempfile.TemporaryDirectory() as name:
        judged = [eight_bit_copy(file, Path(name)) if copied else file for file in files]
        graphs = tuple(map_graph(file.name, read_operators(file)) for file in judged)
        compiled = [] if absence() else [compile_graph(file, Path(name)) for file in judged]
        for result in () if copied else compiled:
            LIMITS.require(result.file.name, result.log)
            shutil.copy(result.file, files[0].parent)
    return SizeSurvey(size, graphs, tuple(result.log for result in compiled), copied)
