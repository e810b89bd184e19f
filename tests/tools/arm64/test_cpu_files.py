"""What an emulated Raspberry Pi reads about its processor."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Load = Callable[[str], ModuleType]

# Main ID registers that Arm's manuals give for Cortex-A72 r0p3 and Cortex-A76 r4p1.
MIDR = {"pi4": 0x410FD083, "pi5": 0x414FD0B1}


@pytest.fixture(params=sorted(MIDR))
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def files(load: Load, board: str, tmp_path: Path) -> dict[str, str]:
    """What is written for a board, by path."""
    load("cpu_files").main(board, tmp_path)
    written = (path for path in tmp_path.rglob("*") if path.is_file())
    return {path.relative_to(tmp_path).as_posix(): path.read_text() for path in written}


def test_every_known_board_is_tested(load: Load) -> None:
    assert set(load("cpu_files").BOARDS) == set(MIDR)


def test_cpuinfo_has_a_paragraph_for_each_core(files: dict[str, str], board: str) -> None:
    *cores, model = files["cpuinfo"].split("\n\n")
    fields = [dict(re.split(r"\s*: ", line) for line in core.splitlines()) for core in cores]

    assert [core["processor"] for core in fields] == ["0", "1", "2", "3"]
    assert model.startswith(f"Model\t\t: Raspberry Pi {board[-1]} ")
    for core in fields:
        numbers = (int(core[f"CPU {name}"], 0) for name in ("variant", "part", "revision"))
        variant, part, revision = numbers
        assert int(core["CPU implementer"], 0) == MIDR[board] >> 24
        assert (variant, part, revision) == (
            MIDR[board] >> 20 & 0xF,
            MIDR[board] >> 4 & 0xFFF,
            MIDR[board] & 0xF,
        )


def test_only_the_newer_board_has_dot_products(files: dict[str, str], board: str) -> None:
    assert ("asimddp" in files["cpuinfo"].split()) == (board == "pi5")
    assert ("fphp" in files["cpuinfo"].split()) == (board == "pi5")


def test_the_register_is_the_processors(files: dict[str, str], board: str) -> None:
    for core in range(4):
        assert int(files[f"cpu/cpu{core}/regs/identification/midr_el1"], 0) == MIDR[board]


def test_cores_are_four_of_one_cluster(files: dict[str, str]) -> None:
    topology = [f"cpu/cpu{core}/topology" for core in range(4)]

    assert {files[f"cpu/{name}"] for name in ("possible", "present", "online")} == {"0-3\n"}
    assert {int(files[f"{place}/package_cpus"], 16) for place in topology} == {0b1111}
    assert [int(files[f"{place}/core_cpus"], 16) for place in topology] == [1, 2, 4, 8]
    for place in topology:
        assert files[f"{place}/core_cpus"] == files[f"{place}/thread_siblings"]


def test_clocks_are_in_order(files: dict[str, str]) -> None:
    for core in range(4):
        clock = f"cpu/cpu{core}/cpufreq/cpuinfo"
        assert 0 < int(files[f"{clock}_min_freq"]) < int(files[f"{clock}_max_freq"]) < 5_000_000
