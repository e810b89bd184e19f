from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_ttvos.contracts import (
    FrameSpec,
    ModelSpec,
    Quantization,
    TensorCodes,
    TensorSpec,
    state_spec,
)
from edge_ttvos.errors import BundleError
from edge_ttvos.firmware_bridge.bundle.checks import CODED
from edge_ttvos.firmware_bridge.bundle.manifest import (
    CreatedBy,
    FileRecord,
    FloatScores,
    Golden,
    Graph,
    Manifest,
    ModelRecord,
    Preprocessing,
    SequenceFigures,
    parse_manifest,
)

texts = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
percents = st.none() | st.floats(0, 100)
counts = st.integers(1, 1024)
sides = st.integers(1, 256).map(lambda blocks: 16 * blocks)
suffixes = {"litert": (".tflite",), "onnxruntime": (".onnx",), "openvino": (".xml", ".bin")}
figures = st.builds(SequenceFigures, percents, percents, percents)
codes = st.builds(Quantization, st.floats(1e-6, 10), st.integers(-128, 127))
models = st.builds(
    ModelRecord,
    texts,
    hashes,
    texts,
    counts,
    st.booleans(),
    st.sampled_from(["average", "weighted", "frozen"]),
    st.booleans(),
    counts,
    st.lists(
        st.builds(TensorCodes, st.sampled_from(CODED), codes), unique_by=lambda tensor: tensor.name
    ).map(tuple),
)


def states(model: ModelRecord, size: tuple[int, int]) -> tuple[TensorSpec, ...]:
    """The contract's state."""
    spec = state_spec(ModelSpec(frame=FrameSpec(*size), **vars(model)), 1)
    return (*spec.shared, *spec.slot)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest that is sound in itself."""
    engine = draw(st.sampled_from(sorted(suffixes)))
    model = draw(models)
    names, graphs = ["install.sh"], []
    for size in draw(st.lists(st.tuples(sides, sides), min_size=1, max_size=3, unique=True)):
        place = f"{size[0]}x{size[1]}"
        stems = [f"models/{place}/{name}" for name in ("encode", "embed", "decode")]
        names += [stem + suffix for stem in stems for suffix in suffixes[engine]]
        clip = [f"golden/{place}/{i}.png" for i in range(draw(st.integers(2, 4)))]
        masks = [name.replace("golden/", "golden/masks/") for name in clip]
        names += clip + masks
        golden = Golden(tuple(clip), tuple(masks))
        paths = [stem + suffixes[engine][0] for stem in stems]
        graphs.append(Graph(size, *paths, golden, states(model, size)))
    record = draw(st.builds(FileRecord, hashes, st.integers(0, 1_000_000)))
    return Manifest(
        schema=1,
        target=draw(texts),
        engine=engine,
        engine_versions=tuple(draw(st.lists(texts, max_size=3))),
        created_by=draw(st.builds(CreatedBy, texts, st.none() | texts)),
        model=model,
        preprocessing=Preprocessing("RGB", "uint8", (1, 2, draw(st.integers(0, 255))), 1),
        graphs=tuple(graphs),
        float_scores=draw(
            st.none()
            | st.builds(FloatScores, texts, st.dictionaries(texts, figures, max_size=3), percents)
        ),
        files=dict.fromkeys(names, record),
        requirements=("numpy>=1.26",),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(manifests())
def test_a_manifest_comes_back_as_it_was(manifest: Manifest) -> None:
    table = manifest.to_json()
    text = json.dumps(table, allow_nan=False).encode()

    assert parse_manifest(table) == manifest
    assert parse_manifest(text) == manifest
    assert parse_manifest(text).to_json() == table


def test_a_table_is_left_as_it_is(draft: Any) -> None:
    before = deepcopy(draft.table)
    parse_manifest(draft.table)

    assert draft.table == before


def test_whole_numbers_stand_for_others(draft: Any) -> None:
    scores = parse_manifest(draft.table).float_scores

    assert scores is not None
    assert scores.sequences["blackswan"] == SequenceFigures(90.5, 91.0, None)


def test_the_model_of_a_size(make_draft: Callable[..., Any]) -> None:
    draft = make_draft(sizes=((48, 80), (80, 48)))
    draft.table["preprocessing"]["mean"] = [1, 2, 3]
    quantization = {"scale": 0.25, "offset": -5, "bits": 12}
    draft.table["model"]["codes"] = [{"name": "template", "quantization": quantization}]
    for graph in draft.table["graphs"]:
        graph["state"][2] |= {"dtype": "int16", "quantization": quantization}
    manifest = parse_manifest(draft.table)
    model = manifest.model_spec((80, 48))
    codes = Quantization(0.25, -5, 12)
    template = TensorSpec("template", (32, 32), "int16", codes)
    record = {**draft.table["model"], "codes": (TensorCodes("template", codes),)}

    assert model == ModelSpec(frame=FrameSpec(80, 48, (1, 2, 3)), **record)
    assert state_spec(model, 3).slot[0] == template


def test_a_size_that_there_is_not(make_draft: Callable[..., Any]) -> None:
    manifest = parse_manifest(make_draft(sizes=((48, 80), (80, 48))).table)

    with pytest.raises(BundleError, match="no graph of 96x96: take one of 48x80, 80x48, or"):
        manifest.model_spec((96, 96))


def test_the_host_cannot_make_what_the_board_refuses(draft: Any) -> None:
    manifest = parse_manifest(draft.table)

    with pytest.raises(ValueError, match="engine must be one of"):
        replace(manifest, engine="torch")
    with pytest.raises(ValueError, match="schema must be 1; got 2"):
        replace(manifest, schema=2)
    with pytest.raises(ValueError, match="files must list all that is used"):
        replace(manifest, files={})
