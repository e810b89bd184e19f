from __future__ import annotations

from dataclasses import replace

import pytest

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.quantize.calibrate import calibrate
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.observers import Observed
from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report.calibrating import Calibrate, combined, widened
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.workshop import checkpoint_of, clips_of, graphs_of, scheme_of
from edge_ttvos.quantize.scheme import build_scheme

Seen = tuple[tuple[Graph, ...], dict[str, Observed]]


@pytest.fixture(scope="module")
def seen(study: Study) -> Seen:
    """Of the small model, and its graphs."""
    graphs, plan = graphs_of(study, study.axes.size), study.recipe.calibration
    frame, clips = FrameSpec(*study.axes.size), clips_of(study, plan)
    return graphs, calibrate(checkpoint_of(study), frame, graphs, clips, plan)


@pytest.mark.slow
def test_one_calibration_serves_all_bits(study: Study, seen: Seen) -> None:
    graphs, observed = seen
    recipes = (study.recipe, replace(study.recipe, activations=4, state=6))
    result = Calibrate(study, study.axes.size, study.recipe.calibration, recipes).run()

    schemes = [scheme_of(table) for table in result["schemes"]]
    assert schemes == [build_scheme(graphs, recipe, observed) for recipe in recipes]


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 8])
def test_exceptions_need_no_second_calibration(study: Study, seen: Seen, bits: int) -> None:
    graphs, observed = seen
    start: Recipe = replace(study.recipe, activations=bits, carried=8)
    narrow = build_scheme(graphs, start, observed)
    wide = build_scheme(graphs, widened(graphs, start), observed)
    layers = [node.name for graph in graphs for node in graph.layers]

    for floats, broad in (((), ()), (layers[::3], layers[1::3]), (layers, ()), ((), layers)):
        recipe = replace(start, float_layers=tuple(floats), wide_layers=tuple(broad))
        wanted = build_scheme(graphs, recipe, observed)
        assert combined(graphs, recipe, narrow, wide) == wanted
