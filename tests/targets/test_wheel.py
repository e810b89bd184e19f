"""The runtime wheel: pip takes it, it holds the board's part alone, and runs without the rest."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_ttvos.targets.wheel import HOST_ONLY, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_boards_part_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    parts = {name.split("/")[1] for name in names if name.startswith("edge_ttvos/")}
    assert {"firmware_bridge", "evaluation", "errors.py", "contracts.py", "cli"} <= parts
    assert parts.isdisjoint(HOST_ONLY)
    assert not any(name.endswith((".safetensors", ".pyc")) for name in names)


def test_equal_code_gives_equal_bytes(wheel: Path, tmp_path: Path) -> None:
    assert build_wheel(tmp_path).read_bytes() == wheel.read_bytes()


def test_it_asks_for_the_base_install_alone(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (about,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    text = archive.read(about).decode()
    assert "Requires-Dist: numpy" in text
    assert "torch" not in text
    assert "extra" not in text


def test_pip_installs_it_and_its_engines_are_announced(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", site, wheel], check=True, capture_output=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from edge_ttvos.firmware_bridge import __main__ as runner\n"
        "from edge_ttvos.firmware_bridge.engines import known_engines\n"
        "assert runner.__file__.startswith(sys.argv[1]), runner.__file__\n"
        "assert 'torch' not in sys.modules\n"
        "print(known_engines())\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(site)], capture_output=True, text=True, check=True
    )
    assert "litert" in done.stdout
    entries = next(site.glob("*.dist-info")) / "entry_points.txt"
    assert "torch" not in entries.read_text()
    assert "edge-ttvos = edge_ttvos.cli:main" in entries.read_text()
