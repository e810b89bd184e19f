from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.errors import ModelError
from edge_ttvos.firmware_bridge.box_head import SIZE
from edge_ttvos.network.checkpoint import Checkpoint, is_quantized, load_checkpoint
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.model import QuantizedModel, load_quantized, save_quantized
from edge_ttvos.quantize.weights import QuantizedKernels

Make = Callable[..., QuantizedModel]


@pytest.fixture
def path(make_quantized: Make, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A quantized model's file, to spoil."""
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp()
    newest = max(folder.glob("quantized*/*.safetensors"), key=lambda p: p.stat().st_mtime_ns)
    copy = tmp_path / "quantized.safetensors"
    copy.write_bytes(newest.read_bytes())
    return copy


def rewritten(path: Path, **header: str) -> None:
    with safe_open(path, framework="pt") as file:
        kept = {**(file.metadata() or {}), **header}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, kept)


def test_weights_are_within_half_a_step_of_the_networks(
    quantized: QuantizedModel, graphs: tuple[Graph, ...]
) -> None:
    for graph in graphs:
        for layer, weight in graph.weights.items():
            step = quantized.scales[layer].view(-1, 1, 1, 1)
            assert quantized.codes[layer].dtype == torch.int8
            assert ((quantized.weight(layer) - weight).abs() <= 0.5001 * step).all(), layer


def test_few_bits_use_few_codes(make_quantized: Make) -> None:
    for bits in (2, 4):
        model = make_quantized(f"w{bits}a8")
        most = max(int(codes.abs().max()) for codes in model.codes.values())
        assert most == 2 ** (bits - 1) - 1


def test_one_scale_for_all_channels(make_quantized: Make) -> None:
    model = make_quantized(per_channel=False)

    assert all(len(set(scale.tolist())) == 1 for scale in model.scales.values())


def test_the_file_is_small_and_known(quantized: QuantizedModel, path: Path) -> None:
    assert is_quantized(path)
    assert path.stat().st_size < 1_800_000
    assert not is_quantized(path.with_name("absent.safetensors"))


def test_the_tracker_learns_the_codes(quantized: QuantizedModel) -> None:
    spec = quantized.spec(FrameSpec(48, 80))

    names = {tensor.name for tensor in spec.codes}
    assert names == {
        *("s4", "s8", "s16", "masks", "coordinates", "modified_s8", "f", "g", "q", "attention"),
        *("log_odds", "update_weight"),
    }
    assert spec.precision == "w8a8sfloat"


def test_a_box_head_is_kept_as_it_is(
    quantized: QuantizedModel, graphs: tuple[Graph, ...], tmp_path: Path
) -> None:
    path, frame = tmp_path / "with-head.safetensors", FrameSpec(48, 80)
    kernels = QuantizedKernels.from_graphs(graphs, quantized.recipe)
    config = replace(quantized.config, box_head=True)
    head = torch.linspace(-1, 1, SIZE)
    save_quantized(path, kernels, quantized.scheme, config, (48, 80), {}, head)
    weights = load_quantized(path).spec(frame).box_head
    assert weights is not None
    assert weights.tolist() == head.tolist()
    assert quantized.spec(frame).box_head is None

    save_quantized(path, kernels, quantized.scheme, config, (48, 80), {}, head[1:])
    with pytest.raises(ModelError, match="does not fit its own header: must have 230404 bytes"):
        load_quantized(path)
    save_quantized(path, kernels, quantized.scheme, config, (48, 80), {}, head.int())
    with pytest.raises(ModelError, match="does not fit its own header: box_head must be float32"):
        load_quantized(path)
    save_quantized(path, kernels, quantized.scheme, config, (48, 80), {})
    with pytest.raises(ModelError, match="does not fit its own header: 'box_head'"):
        load_quantized(path)


def test_it_is_not_quantized_again(path: Path) -> None:
    with pytest.raises(ModelError, match="is quantized already"):
        load_checkpoint(path)


def test_a_float_checkpoint_is_no_quantized_model(checkpoint: Checkpoint, path: Path) -> None:
    rewritten(path, kind="float")
    with pytest.raises(ModelError, match="is no quantized model of schema 1"):
        load_quantized(path)


def test_a_file_that_is_cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be read"):
        load_quantized(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recipe", "{}"),
        ("values", '{"encode/frame": {"scale": 1.0}}'),
        ("config", '{"name": "release", "mask_history": 1}'),
        ("size", '"large"'),
        ("template", "[1]"),
    ],
)
def test_a_header_that_does_not_fit(path: Path, key: str, value: str) -> None:
    rewritten(path, **{key: value})
    with pytest.raises(ModelError, match="does not fit its own header"):
        load_quantized(path)


def test_scales_follow_the_weights_while_they_are_trained(
    graphs: tuple[Graph, ...], quantized: QuantizedModel
) -> None:
    weights = {name: w for graph in graphs for name, w in graph.weights.items()}
    kernels = QuantizedKernels(weights, {}, quantized.recipe)
    layer = kernels.layers[0]
    before = kernels.scale(layer)
    with torch.no_grad():
        kernels.weight(layer).mul_(2)

    torch.testing.assert_close(kernels.scale(layer), 2 * before)
