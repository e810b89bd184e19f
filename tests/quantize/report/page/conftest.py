"""The sample report, as a record and as a page."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge_ttvos.quantize.report.page import write, write_comparison
from edge_ttvos.quantize.report.page.reading import read
from edge_ttvos.quantize.report.page.writer import html_of

_PATH = Path(__file__).with_name("sample.py")
_SPEC = importlib.util.spec_from_file_location("report_sample", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
sample = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(sample)


@pytest.fixture(scope="session", name="sample")
def sample_module() -> ModuleType:
    """What makes records."""
    return sample


@pytest.fixture
def record() -> dict[str, Any]:
    """A complete report."""
    made: dict[str, Any] = sample.report()
    return made


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both pages and the figures."""
    folder = tmp_path_factory.mktemp("report")
    sample.write_strips(folder)
    write(sample.report(), folder)
    write_comparison(sample.comparison(), folder)
    return folder


@pytest.fixture
def html(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """The page of a record, without figures."""
    return lambda record: html_of(read(record), tmp_path)
