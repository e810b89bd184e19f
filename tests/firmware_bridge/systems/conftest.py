"""Boards laid out as file trees: what their kernels and package managers would show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from edge_ttvos.firmware_bridge.check import Check
from edge_ttvos.firmware_bridge.systems import system_checks

Board = Callable[[Mapping[str, str]], dict[str, Check]]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root; ``vcgencmd`` of the machine that runs the tests is out of reach."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def board(tree: Path) -> Board:
    """Write files, and give all findings about the tree by name."""

    def look(files: Mapping[str, str]) -> dict[str, Check]:
        for name, content in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(content)
        return {check.name: check for check in system_checks(tree)}

    return look
