from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.model import load_quantized, save_quantized
from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report.calibrating import Calibrate
from edge_ttvos.quantize.report.points import (
    asked_points,
    axes_points,
    axis_of,
    grid_points,
    named_points,
    qat_point,
    require_deployable,
)
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.workshop import make_model, scheme_of
from edge_ttvos.quantize.scheme import Scheme
from edge_ttvos.quantize.weights import QuantizedKernels
from edge_ttvos.targets.models import INTEGER_FORMATS

BASE = Recipe("w8a8sfloat")


def test_the_axes_are_walked_one_at_a_time() -> None:
    points = axes_points(BASE)

    ids = [point.id for point in points]
    assert ids[:2] == ["axes/float", "axes/w8a8sfloat"]
    assert len(set(ids)) == len(ids) == 2 + 5 + 3 + 4
    assert {p.id for p in points if p.axis == "weights"} == {
        f"axes/w{bits}a8sfloat" for bits in (2, 3, 4, 5, 6)
    }
    assert {p.label for p in points if p.axis == "state"} == {f"w8a8s{b}" for b in (4, 6, 8, 16)}
    assert all(p.recipe is None or p.recipe.name == p.label for p in points)


def test_only_what_no_engine_runs_is_simulated() -> None:
    simulated = {point.label for point in axes_points(BASE) if point.simulated}

    assert simulated == {f"w{b}a8sfloat" for b in (2, 3, 4, 5, 6)} | {
        f"w8a{b}sfloat" for b in (4, 6, 16)
    }
    (even,) = (p for p in axes_points(replace(BASE, symmetric=True)) if p.label == "w8a8sfloat")
    assert even.deployable == tuple(INTEGER_FORMATS)
    (uneven,) = (p for p in axes_points(BASE) if p.label == "w8a8sfloat")
    assert set(even.deployable) - set(uneven.deployable) == {"tensorrt"}


def test_the_grid_has_all_with_all() -> None:
    points = grid_points(BASE)

    assert len(points) == len({point.id for point in points}) == 1 + 6 * 4 * 5


def test_named_points_differ_in_one_thing_each() -> None:
    exact, plain, alone, eight = named_points(BASE)

    assert (exact.recipe, exact.calibration) == (None, None)
    assert plain.recipe is not None
    assert alone.recipe is not None
    assert eight.recipe == replace(plain.recipe, state=8, name="w8a8s8")
    assert (plain.calibration, alone.calibration) == ("rolled-out", "independent")
    calibration = replace(plain.recipe.calibration, rolled_out=False)
    assert alone.recipe == replace(plain.recipe, calibration=calibration)


def test_asked_points_know_their_axis() -> None:
    exact, first, second = asked_points(BASE, ("w4a8", "w4a8sfloat", "w3a6s8"))

    assert exact.id == "axes/float"
    assert (first.id, first.axis) == ("axes/w4a8sfloat", "weights")
    assert (second.id, second.axis) == ("axes/w3a6s8", None)
    assert axis_of(BASE, BASE) is None


def test_unknown_bits_are_refused() -> None:
    with pytest.raises(QuantizationError, match="--bits must be like"):
        asked_points(BASE, ("w4x8",))
    with pytest.raises(QuantizationError, match="weights must have 2 to 8 bits; got 9"):
        asked_points(BASE, ("w9a8",))


def test_what_no_engine_runs_is_not_deployable() -> None:
    require_deployable(asked_points(BASE, ("w8a8s4",)))
    with pytest.raises(
        QuantizationError, match=r"no engine can run w4a8sfloat \(weights of 4 bits"
    ):
        require_deployable(asked_points(BASE, ("w8a8", "w4a8")))


@pytest.mark.slow
def test_a_trained_model_must_come_from_this_float_model(study: Study, tmp_path: Path) -> None:
    plan = study.recipe.calibration
    task = Calibrate(study, study.axes.size, plan, (study.recipe,))
    (table,) = task.run()["schemes"]
    model = make_model(study, study.recipe, scheme_of(table), study.axes.size)
    with pytest.raises(QuantizationError, match="got method 'ptq'"):
        qat_point("axes", model, tmp_path, study.sha256)

    path = tmp_path / "trained.safetensors"
    kernels = QuantizedKernels(
        {name: model.weight(name) for name in model.codes}, model.biases, model.recipe
    )
    origin = {"method": "qat", "float_sha256": study.sha256}
    scheme = Scheme(model.scheme.values, model.scheme.template)
    save_quantized(path, kernels, scheme, model.config, model.size, origin)
    trained = load_quantized(path)
    assert qat_point("axes", trained, path, study.sha256).id == "axes/qat-w8a8sfloat"
    with pytest.raises(QuantizationError, match="trained from another float model"):
        qat_point("axes", trained, path, "0" * 64)
