"""The three graphs of a network, lowered from PyTorch's own export to ``graph.Graph``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.errors import QuantizationError
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.quantize.graph import Graph, Kind, Node
from edge_ttvos.targets.export.graphs import Graph as ExportGraph
from edge_ttvos.targets.export.graphs import build_graphs
from edge_ttvos.targets.form import Form

FxNode = Any  # torch.fx.Node: what its arguments are, only their operator knows

TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]  # permutations of NCHW and NHWC
PIXELS = [0, 1, 3, 2, 4]  # of (1, h, w, f, f·c): the second half of an interleaving


def lower(network: TTVOS, frame: FrameSpec, form: Form | None = None) -> tuple[Graph, ...]:
    """Encode, embed and decode of a network in eval mode at one size.

    Raises:
        QuantizationError: an operator that the quantizer does not know.
    """
    return tuple(Lowering(graph, frame).run() for graph in build_graphs(network, frame, form))


class Lowering:
    """One graph on its way: what PyTorch calls a tensor becomes the node that gives its value.

    Permutations between channel-first and channel-last change nothing here, so they vanish.
    """

    def __init__(self, graph: ExportGraph, frame: FrameSpec) -> None:
        self.graph, self.frame = graph, frame
        self.nodes: dict[str, Node] = {}
        self.weights: dict[str, Tensor] = {}
        self.biases: dict[str, Tensor] = {}
        self.constants: dict[str, Tensor] = {}
        self._named: dict[str, str] = {}  # PyTorch's name → ours
        self._tensors: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()

    def run(self) -> Graph:
        """Lower all of it.

        Raises:
            QuantizationError: an unknown operator.
        """
        module = self.graph.module.eval()
        program = torch.export.export(module, tuple(self.graph.inputs.values()))
        signature = program.graph_signature
        kept = {**program.state_dict, **program.constants}
        for source in (signature.inputs_to_parameters, signature.inputs_to_buffers):
            self._tensors |= {name: kept[target].detach() for name, target in source.items()}
        for node in program.graph.nodes:
            if node.op == "placeholder" and node.name not in self._tensors:
                self._add(node, "input", (), node.name)
            elif node.op == "call_function":
                self._call(node)
        (results,) = program.graph.output_node().args
        assert isinstance(results, tuple)
        outputs = zip(self.graph.outputs, (self._named[r.name] for r in results), strict=True)
        return Graph(
            self.graph.name,
            tuple(self.nodes.values()),
            dict(outputs),
            self.weights,
            self.biases,
            self.constants,
        )

    def _call(self, node: FxNode) -> None:
        name = str(node.target).split(".")[1].removesuffix("_")
        known: dict[str, Callable[[FxNode], None]] = {
            "conv2d": self._conv,
            "relu": self._relu,
            "cat": self._concat,
            "permute": self._permute,
            "reshape": self._reshape,
            "avg_pool2d": self._average_pool,
            **dict.fromkeys(("to", "flatten", "select"), self._alias),
            "_assert_tensor_metadata": lambda node: None,
            "add": lambda node: self._add(node, "add", self._two(node)),
            "mean": lambda node: self._add(node, "mean", self._one(node)),
            "sigmoid": lambda node: self._add(node, "sigmoid", self._one(node)),
            "leaky_relu": lambda node: self._add(
                node, "leaky_relu", self._one(node), slope=float(_argument(node, 1))
            ),
            "upsample_bilinear2d": lambda node: self._add(
                node, "resize", self._one(node), stride=self.frame.height // node.args[1][0]
            ),
        }
        if name not in known:
            raise QuantizationError(
                f"{self.graph.name} has operator {node.target}, which the quantizer does not know; "
                f"known: {', '.join(known)}"
            )
        known[name](node)

    def _one(self, node: FxNode) -> tuple[str, ...]:
        return (self._named[node.all_input_nodes[0].name],)

    def _two(self, node: FxNode) -> tuple[str, ...]:
        return tuple(self._named[argument.name] for argument in node.args)

    def _alias(self, node: FxNode) -> None:
        (self._named[node.name],) = self._one(node)

    def _conv(self, node: FxNode) -> None:
        source, weight, bias = node.args[:3] if len(node.args) > 2 else (*node.args, None)
        stride, padding = (_argument(node, 3, [1, 1]), _argument(node, 4, [0, 0]))
        layer = _module(node)
        self.weights[layer] = self._tensors[weight.name].clone()
        if bias is not None:
            self.biases[layer] = self._tensors[bias.name].clone()
        self._add(
            node,
            "conv",
            (self._named[source.name],),
            layer,
            stride=stride[0],
            padding=padding[0],
            groups=_argument(node, 6, 1),
        )

    def _relu(self, node: FxNode) -> None:
        """Part of the operator before it, whose value nothing else takes."""
        (before,) = self._one(node)
        if len(node.all_input_nodes[0].users) != 1 or self.nodes[before].kind not in (
            "conv",
            "add",
        ):
            raise QuantizationError(f"{before} is used beside its ReLU, which no target fuses")
        self.nodes[before] = Node(**{**vars(self.nodes[before]), "relu": True})
        self._named[node.name] = before

    def _concat(self, node: FxNode) -> None:
        for part in node.args[0]:
            if part.name in self._tensors and part.name not in self._named:
                tensor = self._tensors[part.name]
                self._add(part, "constant", (), part.name.removeprefix("b_"))
                self.constants[self._named[part.name]] = tensor[0]
        self._add(node, "concat", tuple(self._named[part.name] for part in node.args[0]))

    def _permute(self, node: FxNode) -> None:
        if _argument(node, 1) not in (TO_LAST, TO_FIRST, PIXELS):
            raise QuantizationError(f"{self.graph.name} permutes {node.args[1]}: not known")
        self._alias(node)

    def _reshape(self, node: FxNode) -> None:
        """An interleaving ends where five dimensions become four; its factor is the fourth."""
        source = node.all_input_nodes[0]
        if len(node.args[1]) == 5:
            self._alias(node)
            return
        factor = source.meta["val"].shape[2]
        self._add(node, "depth_to_space", self._one(node), stride=factor)

    def _average_pool(self, node: FxNode) -> None:
        if _argument(node, 1) != [2, 2]:
            raise QuantizationError("average pooling is known with 2×2 windows only")
        self._add(node, "average_pool", self._one(node), stride=2)

    def _add(
        self,
        node: FxNode,
        kind: Kind,
        inputs: tuple[str, ...],
        name: str | None = None,
        **attributes: Any,
    ) -> None:
        """A node that gives what PyTorch's node gives."""
        if name is None:
            base = ".".join(part for part in (_module(node), kind) if part)
            self._counts[base] += 1
            name = base if self._counts[base] == 1 else f"{base}_{self._counts[base]}"
        self.nodes[name] = Node(name, kind, inputs, _shape(node, kind), **attributes)
        self._named[node.name] = name


def _shape(node: FxNode, kind: Kind) -> tuple[int, int, int]:
    """(height, width, channels) of what PyTorch's node gives, in whichever order it does."""
    _, *sides = node.meta["val"].shape
    last = kind in ("input", "constant", "depth_to_space")
    if last or (kind == "concat" and _argument(node, 1, 0) == -1):
        height, width, channels = sides
    else:
        channels, height, width = sides
    return height, width, channels


def _argument(node: FxNode, index: int, default: Any = None) -> Any:
    return node.args[index] if len(node.args) > index else default


def _module(node: FxNode) -> str:
    stack = node.meta.get("nn_module_stack", {})
    return str(list(stack.values())[-1][0]) if stack else ""
