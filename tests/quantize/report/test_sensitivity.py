from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.quantize.report.calibrating import Calibrate
from edge_ttvos.quantize.report.fidelity import Fidelity
from edge_ttvos.quantize.report.sensitivity import (
    Alone,
    Item,
    alone,
    items,
    ranking,
    recipes_of,
    state_keys,
)
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.workshop import graphs_of, scheme_of
from edge_ttvos.quantize.scheme import Scheme

pytestmark = pytest.mark.slow

STATE = {"s8", "s16", "masks", "template", "update_weight"}


@pytest.fixture(scope="module")
def schemes(study: Study) -> tuple[Scheme, Scheme]:
    """Of layers, of state."""
    recipes = recipes_of(study.recipe)
    result = Calibrate(study, study.axes.size, study.recipe.calibration, recipes).run()
    layers, state = map(scheme_of, result["schemes"])
    return layers, state


def test_every_layer_and_every_buffer_is_an_item(study: Study) -> None:
    graphs = graphs_of(study, study.axes.size)
    found = items(graphs)

    assert {item.name for item in found if item.kind == "state"} == STATE
    layers = [node.name for graph in graphs for node in graph.layers]
    assert [item.name for item in found if item.kind == "layer"] == layers
    assert len({item.name for item in found}) == len(found)


def test_alone_means_alone(study: Study, schemes: tuple[Scheme, Scheme]) -> None:
    graphs, (layers, state) = graphs_of(study, study.axes.size), schemes
    for item in items(graphs):
        scheme = alone(item, graphs, layers if item.kind == "layer" else state)
        names = set(scheme.values)
        if item.kind == "layer":
            assert names == {f"{item.graph}/{item.name}"}
        else:
            assert names == set(state_keys(graphs)[item.name])
        assert (scheme.template is not None) == (item.name == "template")
        bits = {codes.bits for codes in scheme.values.values()}
        assert bits <= ({8} if item.kind == "layer" else {4})


def test_quantizing_nothing_is_the_float_model(
    study: Study, schemes: tuple[Scheme, Scheme]
) -> None:
    graphs, (layers, state) = graphs_of(study, study.axes.size), schemes
    chosen = {item.name: item for item in items(graphs)}
    found = {
        name: Alone(study, item, alone(item, graphs, scheme)).run()
        for name, item, scheme in (
            ("float", None, layers),
            ("layer", chosen["backbone.stem.0.0"], layers),
            ("masks", chosen["masks"], state),
            ("template", chosen["template"], state),
        )
    }

    assert list(found["float"]["sequences"]) == ["dog-agility", "motorbike"]
    traces = {
        name: [row["J_by_frame"] for row in result["sequences"].values()]
        for name, result in found.items()
    }
    assert all(traces[name] != traces["float"] for name in ("layer", "masks"))


def test_fidelity_of_every_item(study: Study, schemes: tuple[Scheme, Scheme]) -> None:
    graphs = graphs_of(study, study.axes.size)
    found = Fidelity(study, *schemes).run()

    assert set(found) == {item.name for item in items(graphs)}
    assert all(0 < pair["cosine"] <= 1 for pair in found.values())
    # results of 8 bits after kernels of 4: above noise, below the 50 dB of 8 bits throughout
    ratios = {i.name: found[i.name]["sqnr_db"] for i in items(graphs) if i.kind == "layer"}
    assert {n: r for n, r in ratios.items() if r is None or r < 5} == {}
    assert np.median(list(ratios.values())) < 50


def test_the_ranking_begins_with_the_worst(study: Study) -> None:
    graphs = graphs_of(study, study.axes.size)
    names = [node.name for graph in graphs for node in graph.layers][:3]
    pairs = [
        (Item(n, "layer", "encode", 4), loss)
        for n, loss in zip(names, (0.1, 2.0, 0.1), strict=True)
    ]
    fidelity = {
        n: {"cosine": c, "sqnr_db": 20.0} for n, c in zip(names, (0.99, 0.98, 0.95), strict=True)
    }
    rows = ranking(graphs, pairs, fidelity)

    assert [row["item"] for row in rows] == [names[1], names[2], names[0]]
    assert all(row["macs"] > 0 for row in rows)
