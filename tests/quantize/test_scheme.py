from __future__ import annotations

import pytest

from edge_ttvos.contracts import Quantization
from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.graph import SAME_SCALE, Graph
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.observers import Observed
from edge_ttvos.quantize.recipe import Recipe, parse_bits
from edge_ttvos.quantize.scheme import build_scheme, check_layers, key, on_integers


def test_every_value_has_a_scale(graphs: tuple[Graph, ...], quantized: QuantizedModel) -> None:
    keys = {key(graph, node.name) for graph in graphs for node in graph.nodes}

    assert set(quantized.scheme.values) == keys


def test_what_only_moves_values_keeps_their_scale(
    graphs: tuple[Graph, ...], quantized: QuantizedModel
) -> None:
    for graph in graphs:
        for node in graph.nodes:
            if node.kind in SAME_SCALE:
                before, after = (
                    quantized.scheme.of(graph, name) for name in (node.inputs[0], node.name)
                )
                assert before == after, node.name


def test_the_next_frame_finds_the_codes_of_this_one(quantized: QuantizedModel) -> None:
    values = quantized.scheme.values

    assert values["embed/previous_s8"] == values["embed/s8"]
    assert values["decode/previous_s16"] == values["decode/s16"] == values["encode/concat"]
    assert values["embed/masks"] == values["decode/masks"] == Quantization(1 / 255, -128)


def test_fixed_ranges(quantized: QuantizedModel) -> None:
    values = quantized.scheme.values

    assert values["encode/frame"] == Quantization(1.0, -128)
    assert values["decode/last.convolution"] == Quantization(1 / 16, 0)
    assert values["decode/decoder.update_weight.sigmoid"] == Quantization(1 / 256, -128)


def test_parts_of_a_joined_map_are_made_in_its_scale(
    graphs: tuple[Graph, ...], quantized: QuantizedModel
) -> None:
    decode = graphs[2]
    for node in decode.nodes:
        if node.kind != "concat":
            continue
        for name in node.inputs:
            part = decode.node(name)
            if part.kind == "conv" and len(decode.users(name)) == 1:
                assert quantized.scheme.of(decode, name) == quantized.scheme.of(decode, node.name)


def test_carried_bits_are_of_the_state_alone(
    graphs: tuple[Graph, ...], seen: dict[str, Observed]
) -> None:
    values = build_scheme(graphs, Recipe("r", carried=4), seen).values

    for name in ("embed/s8", "embed/previous_s8", "decode/s16", "embed/masks", "decode/masks"):
        assert values[name].bits == 4, name
    assert values["embed/embedding.f.0"].bits == 8
    assert values["decode/s4"].bits == 8


def test_the_template_has_bits_of_its_own(
    graphs: tuple[Graph, ...], seen: dict[str, Observed]
) -> None:
    assert build_scheme(graphs, parse_bits("w8a8"), seen).template is None
    template = build_scheme(graphs, parse_bits("w8a8s6"), seen).template
    assert template is not None
    assert template.bits == 6


def test_float_and_wide_layers(graphs: tuple[Graph, ...], seen: dict[str, Observed]) -> None:
    recipe = Recipe("r", float_layers=("embedding.f.0",), wide_layers=("backbone.stem.1.0",))
    scheme = build_scheme(graphs, recipe, seen)
    embed = graphs[1]

    assert "embed/embedding.f.0" not in scheme.values
    assert scheme.values["encode/backbone.stem.1.0"].bits == 16
    assert not on_integers(embed, embed.node("embedding.f.1"), scheme, recipe)  # takes floats
    assert on_integers(embed, embed.node("embedding.g.1"), scheme, recipe)


def test_symmetric_codes_lie_around_zero(
    graphs: tuple[Graph, ...], seen: dict[str, Observed]
) -> None:
    scheme = build_scheme(graphs, Recipe("r", symmetric=True), seen)

    assert {codes.offset for codes in scheme.values.values()} == {0}
    assert "encode/frame" not in scheme.values


def test_a_layer_that_is_not_there(graphs: tuple[Graph, ...]) -> None:
    with pytest.raises(QuantizationError, match=r"no layer 'embedding.f'; known are embedding.f.0"):
        check_layers(graphs, Recipe("r", float_layers=("embedding.f",)))
