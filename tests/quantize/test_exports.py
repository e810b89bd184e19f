"""Exported files hold the simulation's scales, and engines compute its codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from edge_ttvos.contracts import FrameSpec, Quantization
from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.observers import fake
from edge_ttvos.quantize.scheme import key
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.quantize.weights import Kernels
from edge_ttvos.targets.constraints import UNKNOWN
from edge_ttvos.targets.edgetpu.mapping import map_graph
from edge_ttvos.targets.models import INTEGER_FORMATS
from edge_ttvos.targets.operators import read_operators

FRAME = FrameSpec(48, 80)
Make = Callable[..., QuantizedModel]
NAMES = ("encode", "embed", "decode")
SESSIONS = {
    "litert": "LiteRtSession",
    "onnxruntime": "OnnxSession",
    "openvino": "OpenVinoSession",
}


def graph_of(model: QuantizedModel, name: str, plain: bool = False) -> Graph:
    """Of plain graphs coordinates are an input, as an Edge TPU wants them."""
    graphs = model.graphs(FRAME, "input" if plain else "buffer")
    return next(graph for graph in graphs if graph.name == name)


def random_codes(model: QuantizedModel, graph: Graph) -> dict[str, NDArray[Any]]:
    """Inputs (h, w, c) of one graph: noise around the code of 0."""
    rng = np.random.default_rng(0)
    found: dict[str, NDArray[Any]] = {}
    for name in graph.inputs:
        shape, codes = graph.node(name).shape, model.scheme.of(graph, name)
        if name == "frame":
            found[name] = rng.integers(0, 256, shape).astype(np.uint8)
        elif codes is None:
            found[name] = rng.normal(0, 1, shape).astype(np.float32)
        else:
            noise = np.rint(rng.normal(0, 30, shape)) + codes.offset
            found[name] = np.clip(noise, codes.least, codes.most).astype(np.int8)
    return found


def value_of(codes: NDArray[Any], quantization: Quantization) -> torch.Tensor:
    """(h, w, c) codes → (1, c, h, w) values."""
    value = torch.from_numpy(codes.astype(np.float32)).permute(2, 0, 1)[None]
    return (value - quantization.offset) * quantization.scale


def codes_of(value: torch.Tensor, quantization: Quantization) -> NDArray[np.float32]:
    """(1, c, h, w) values → (h, w, c) codes."""
    rounded = fake(value, quantization)[0].permute(1, 2, 0) / quantization.scale
    codes: NDArray[np.float32] = rounded.round().numpy() + quantization.offset
    return codes


class LiteRt:
    """LiteRT's own kernels, one by one, every tensor kept."""

    def __init__(self, data: bytes) -> None:
        interpreter = pytest.importorskip("ai_edge_litert.interpreter")
        self.run = interpreter.Interpreter(
            model_content=data,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=(
                interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
            num_threads=1,
        )
        self.run.allocate_tensors()
        self.details = {d["name"]: d for d in self.run.get_tensor_details()}

    def invoke(self, inputs: dict[str, NDArray[Any]]) -> None:
        for name, array in inputs.items():
            self.run.set_tensor(self.details[name]["index"], array[None])
        self.run.invoke()

    def value(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = self.run.get_tensor(self.details[name]["index"])[0]
        return found


def litert(model: QuantizedModel, graph: Graph, plain: bool = False) -> LiteRt:
    name = "plain_litert" if plain else "litert"
    module = pytest.importorskip(f"edge_ttvos.targets.export.quantized.{name}")
    writer = module.PlainWriter if plain else module.Writer
    return LiteRt(writer(model, graph).serialized())


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_scales_are_read_back_from_tflite(
    quantized: QuantizedModel, name: str, plain: bool
) -> None:
    graph = graph_of(quantized, name, plain)
    details = litert(quantized, graph, plain).details
    for node in graph.nodes:
        if node.name == "frame" or node.kind == "constant":
            continue
        found = details[node.name]["quantization_parameters"]
        wanted = quantized.scheme.of(graph, node.name)
        assert wanted is not None
        np.testing.assert_array_equal(found["scales"], np.float32(wanted.scale))
        assert found["zero_points"].tolist() == [wanted.offset], node.name
    for layer in graph.layers:
        found = details[f"{layer.name}.weight"]["quantization_parameters"]
        np.testing.assert_array_equal(found["scales"], quantized.scales[layer.name].numpy())
        assert not found["zero_points"].any()


@pytest.mark.parametrize("unsigned", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_scales_are_read_back_from_onnx(
    quantized: QuantizedModel, name: str, unsigned: bool
) -> None:
    onnx = pytest.importorskip("onnx")
    writer = pytest.importorskip("edge_ttvos.targets.export.quantized.onnx")
    graph = graph_of(quantized, name)
    proto = onnx.load_from_string(writer.serialized(quantized, graph, unsigned))
    fixed = {t.name: onnx.numpy_helper.to_array(t) for t in proto.graph.initializer}
    shift, dtype = (128, np.uint8) if unsigned else (0, np.int8)
    for node in graph.nodes:
        if node.kind == "input":
            continue
        wanted = quantized.scheme.of(graph, node.name)
        assert wanted is not None
        assert fixed[f"{node.name}.scale"] == np.float32(wanted.scale), node.name
        offset = fixed[f"{node.name}.offset"]
        assert (offset.dtype, int(offset)) == (dtype, wanted.offset + shift)
    for layer in graph.layers:
        scales = fixed[f"{layer.name}.weight.scale"]
        np.testing.assert_array_equal(scales, quantized.scales[layer.name].numpy())


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_tflite_has_no_float_inside(quantized: QuantizedModel, name: str, plain: bool) -> None:
    details = litert(quantized, graph_of(quantized, name, plain), plain).details

    dtypes = {detail["dtype"] for detail in details.values()}
    assert dtypes <= {np.int8, np.uint8, np.int32}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_each_operator_gives_the_simulations_codes(
    quantized: QuantizedModel, name: str, plain: bool
) -> None:
    """On the engine's own inputs: at most one step beside, and seldom that."""
    graph = graph_of(quantized, name, plain)
    engine = litert(quantized, graph, plain)
    engine.invoke(random_codes(quantized, graph))
    simulation = quantized.simulation(FRAME)
    values = {}
    for node in graph.nodes:
        codes = quantized.scheme.of(graph, node.name)
        assert codes is not None
        if node.kind == "constant":
            values[node.name] = fake(graph.constants[node.name].permute(2, 0, 1)[None], codes)
            continue
        found = engine.value(node.name)
        if node.kind == "input":
            plain = Quantization(1.0, 0) if node.name == "frame" else codes
            values[node.name] = value_of(found, plain)
            continue
        wanted = codes_of(_computed(simulation, graph, node, values), codes)
        apart = np.abs(found.astype(np.float32) - wanted)
        assert apart.max() <= 1, f"{node.name}: {apart.max()} steps"
        assert (apart > 0).mean() < 0.25, f"{node.name}: {(apart > 0).mean():.3f} of the codes"
        values[node.name] = value_of(found, codes)


@torch.no_grad()
def _computed(
    simulation: Simulation, graph: Graph, node: Node, values: dict[str, torch.Tensor]
) -> torch.Tensor:
    return simulation.value(graph, node, values, {})


@pytest.mark.parametrize("name", NAMES)
def test_scales_are_read_back_from_openvino(
    quantized: QuantizedModel, name: str, tmp_path: Path
) -> None:
    openvino = pytest.importorskip("openvino")
    writer = pytest.importorskip("edge_ttvos.targets.export.quantized.openvino")
    graph = graph_of(quantized, name)
    path, _ = writer.export(quantized, graph, tmp_path)
    operations = openvino.Core().read_model(path).get_ops()
    fixed = {op.get_friendly_name(): op for op in operations if op.get_type_name() == "Constant"}
    for node in graph.nodes:
        if node.name == "frame":
            continue
        wanted = quantized.scheme.of(graph, node.name)
        assert wanted is not None
        if node.kind == "concat" and f"{node.name}.scale" not in fixed:  # its parts' own codes
            assert {quantized.scheme.of(graph, part) for part in node.inputs} == {wanted}
            continue
        assert fixed[f"{node.name}.scale"].data == np.float32(wanted.scale), node.name
        assert fixed[f"{node.name}.offset"].data == wanted.offset + 128, node.name
    for layer in graph.layers:
        scales = fixed[f"{layer.name}.weight.scale"].data.ravel()
        np.testing.assert_array_equal(scales, quantized.scales[layer.name].numpy())
        codes = fixed[f"{layer.name}.weight.codes"].data
        assert codes.dtype == np.int8
        np.testing.assert_array_equal(codes.ravel(), quantized.codes[layer.name].numpy().ravel())


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_each_operator_gives_the_simulations_codes_in_openvino(
    make_quantized: Make, name: str, symmetric: bool, tmp_path: Path
) -> None:
    """As above; every value is an output of the graph."""
    model = make_quantized(symmetric=symmetric)
    graph = graph_of(model, name)
    coded = [n for n in graph.nodes if n.kind != "input" and model.scheme.of(graph, n.name)]
    graph = replace(graph, outputs={f"{node.name}.out": node.name for node in coded})
    session = open_session("openvino", model, graph, tmp_path)
    inputs = random_codes(model, graph)
    outputs = {out: np.zeros(session.outputs[out], np.int8) for out in graph.outputs}
    session.run(inputs, outputs)
    simulation = model.simulation(FRAME)
    values = {}
    for node in graph.nodes:
        codes = model.scheme.of(graph, node.name)
        if node.kind == "input":
            plain = Quantization(1.0, 0) if node.name == "frame" else codes
            assert plain is not None
            values[node.name] = value_of(inputs[node.name], plain)
            continue
        assert codes is not None
        found = outputs[f"{node.name}.out"].reshape(node.shape)
        given = {next(iter(inputs)): next(iter(values.values()))}
        with torch.no_grad():
            wanted = codes_of(simulation.value(graph, node, values, given), codes)
        apart = np.abs(found.astype(np.float32) - wanted)
        assert apart.max() <= 1, f"{node.name}: {apart.max()} steps"
        assert (apart > 0).mean() < 0.25, f"{node.name}: {(apart > 0).mean():.3f} of the codes"
        values[node.name] = value_of(found, codes)


@pytest.mark.parametrize("engine", ["litert", "onnxruntime", "openvino"])
@pytest.mark.parametrize("name", NAMES)
def test_whole_graphs_give_nearly_the_same_codes(
    quantized: QuantizedModel, name: str, engine: str, tmp_path: Path
) -> None:
    graph = graph_of(quantized, name)
    inputs = random_codes(quantized, graph)
    session = open_session(engine, quantized, graph, tmp_path)
    outputs = {output: np.zeros(session.outputs[output], np.int8) for output in graph.outputs}
    session.run(inputs, outputs)
    values = {
        n: value_of(a, Quantization(1.0, 0) if n == "frame" else quantized.scheme.of(graph, n))  # type: ignore[arg-type]
        for n, a in inputs.items()
    }
    with torch.no_grad():
        wanted = quantized.simulation(FRAME)(name, values)
    for output, found in outputs.items():
        codes = quantized.scheme.values[key(graph, graph.outputs[output])]
        expected = codes_of(wanted[output], codes).reshape(found.shape)
        apart = np.abs(found - expected)
        assert (apart > 2).mean() < 0.05, f"{output}: {(apart > 2).mean():.4f}"
        assert apart.max() <= 12, f"{output}: {apart.max()}"


@pytest.mark.parametrize("name", NAMES)
def test_plain_operators_give_the_codes_of_the_others(
    quantized: QuantizedModel, name: str, tmp_path: Path
) -> None:
    """As a board runs them. LeakyReLU alone is rounded otherwise, by one step."""
    graph = graph_of(quantized, name, plain=True)
    inputs, found = random_codes(quantized, graph), {}
    for kind in ("litert", "plain_litert"):
        (tmp_path / kind).mkdir()
        session = open_session("litert", quantized, graph, tmp_path / kind, kind)
        found[kind] = {
            output: np.zeros(session.outputs[output], np.int8) for output in graph.outputs
        }
        session.run(inputs, found[kind])
    for output in graph.outputs:
        ordinary, plain = (found[kind][output].astype(int) for kind in ("litert", "plain_litert"))
        assert ordinary.size == 1 or ordinary.std() > 1, output
        assert np.abs(ordinary - plain).max() <= (1 if name == "embed" else 0), output


@pytest.mark.parametrize("name", NAMES)
def test_of_plain_files_the_edge_tpu_refuses_nothing_that_is_published(
    quantized: QuantizedModel, name: str, tmp_path: Path
) -> None:
    writer = pytest.importorskip("edge_ttvos.targets.export.quantized.plain_litert")
    (path,) = writer.export(quantized, graph_of(quantized, name, plain=True), tmp_path)
    found = map_graph(path.name, read_operators(path))
    unknown = {"encode": {"RESIZE_BILINEAR"}, "embed": set(), "decode": {"TRANSPOSE_CONV"}}
    assert {(f.operator, f.verdict) for f in found.findings} == {
        (kind, UNKNOWN) for kind in unknown[name]
    }


def test_a_float_island_is_plain_too(make_quantized: Make, tmp_path: Path) -> None:
    layers = ("embedding.f.0", "embedding.f.1", "decoder.up8.convolution")
    model = make_quantized(float_layers=layers)
    for name in ("embed", "decode"):
        graph = graph_of(model, name, plain=True)
        session = open_session("litert", model, graph, tmp_path, "plain_litert")
        inputs = random_codes(model, graph)
        outputs = {output: np.zeros(session.outputs[output], np.int8) for output in graph.outputs}
        session.run(inputs, outputs)
        kinds = {operator.kind for operator in read_operators(tmp_path / f"{name}.tflite")}
        assert not kinds & {"LEAKY_RELU", "DEPTH_TO_SPACE"}
        values = {n: value_of(a, model.scheme.of(graph, n)) for n, a in inputs.items()}  # type: ignore[arg-type]
        simulation = Simulation([graph], Kernels.of([graph]), model.scheme)
        with torch.no_grad():
            wanted = simulation(name, values)
        for output, found in outputs.items():
            codes = model.scheme.values[key(graph, graph.outputs[output])]
            expected = codes_of(wanted[output], codes).reshape(found.shape)
            assert (np.abs(found - expected) > 2).mean() < 0.05, output


def open_session(
    engine: str, model: QuantizedModel, graph: Graph, folder: Path, kind: str | None = None
) -> Any:
    """A file of the graph by a writer (None: the engine's), opened as a board opens it."""
    pytest.importorskip({"litert": "ai_edge_litert"}.get(engine, engine))
    kind = kind or INTEGER_FORMATS[engine]
    writer = pytest.importorskip(f"edge_ttvos.targets.export.quantized.{kind}")
    path = writer.export(model, graph, folder)[0]
    module = pytest.importorskip(f"edge_ttvos.firmware_bridge.engines.{engine}")
    session = SESSIONS[engine]
    return getattr(module, session)(path, 1)


@pytest.mark.parametrize("engine", ["litert", "openvino"])
def test_a_float_layer_is_an_island_and_computes_the_same(
    make_quantized: Make, engine: str, tmp_path: Path
) -> None:
    model = make_quantized(float_layers=("embedding.f.0",))
    graph = graph_of(model, "embed")
    inputs = random_codes(model, graph)
    session = open_session(engine, model, graph, tmp_path)
    outputs = {name: np.zeros(session.outputs[name], np.int8) for name in graph.outputs}
    session.run(inputs, outputs)
    values = {n: value_of(a, model.scheme.of(graph, n)) for n, a in inputs.items()}  # type: ignore[arg-type]
    with torch.no_grad():
        wanted = model.simulation(FRAME)("embed", values)
    codes = model.scheme.values[key(graph, graph.outputs["f"])]
    assert np.abs(outputs["f"] - codes_of(wanted["f"], codes)).max() <= 2
