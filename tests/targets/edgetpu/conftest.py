"""A compiler that is a script, and what the real one prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SUMMARY = """\
Edge TPU Compiler version {version}
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 1379 ms.

Input model: encode.tflite
Input size: 1.62MiB
Output model: encode_edgetpu.tflite
Output size: 1.90MiB
On-chip memory used for caching model parameters: 1.50MiB
On-chip memory remaining for caching model parameters: 6.10MiB
Off-chip memory used for streaming uncached model parameters: {off_chip}
Number of Edge TPU subgraphs: 1
Total number of operations: {total}
Operation log: encode_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of \
the model will instead run on the CPU, which is slower. If possible, consider updating your model \
to use only operations supported by the Edge TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 14
Number of operations that will run on CPU: 4

"""
TABLE = """\
Operator                       Count      Status

CONV_2D                        9          Mapped to Edge TPU
CONV_2D                        2          More than one subgraph is not supported
QUANTIZE                       1          Operation is otherwise supported, but not mapped due to \
some unspecified limitation
LEAKY_RELU                     1          Operation not supported
ADD                            5          Mapped to Edge TPU
"""
LAST = """\
Compilation child process completed within timeout period.
Compilation succeeded!
"""

Printed = Callable[..., str]


@pytest.fixture
def printed() -> Printed:
    """What version 16 prints with ``-s``, or another version; 18 operators, of which 14 map."""

    def make(version: str = "16.0.384591198", off_chip: str = "0.00B", total: int = 18) -> str:
        return SUMMARY.format(version=version, off_chip=off_chip, total=total) + TABLE + LAST

    return make


@pytest.fixture
def log_file() -> str:
    """What version 15 writes into ``encode_edgetpu.log``."""
    head = "Edge TPU Compiler version 15.0.340273435\nInput: encode.tflite\n"
    return f"{head}Output: encode_edgetpu.tflite\n\n{TABLE}"


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put an ``edgetpu_compiler`` on PATH that prints a text, ends with a code, and copies files.

    ``compiler(text, code=0, output=True)``.
    """

    def install(text: str, code: int = 0, output: bool = True) -> None:
        place = tmp_path / "bin"
        place.mkdir(exist_ok=True)
        (place / "said").write_text(text)
        script = place / "edgetpu_compiler"
        lines = [
            f"#!{sys.executable}",
            "import pathlib, shutil, sys",
            "said, _, folder, graph = sys.argv[1:]",
            "assert said == '-s'",
            f"print(pathlib.Path({str(place / 'said')!r}).read_text())",
        ]
        if output:
            lines += [
                "name = pathlib.Path(graph).stem + '_edgetpu.tflite'",
                "shutil.copy(graph, pathlib.Path(folder, name))",
                "pathlib.Path(folder, name).with_suffix('.log').write_text('the table')",
            ]
        script.write_text("\n".join([*lines, f"sys.exit({code})", ""]))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(place), prepend=":")

    return install
