"""A LiteRT graph may have its form for the Edge TPU beside it, ONNX graphs all three in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_ttvos.firmware_bridge.bundle.reader import open_bundle

COMPILED = "models/48x80/encode_edgetpu.tflite"
FUSED = "models/48x80/fused.onnx"


def test_a_compiled_graph_belongs_to_the_bundle(draft: Any) -> None:
    plain = (draft.folder / draft.graph["encode"]).read_bytes()
    draft.put(COMPILED, plain)
    draft.save()
    with open_bundle(draft.folder) as bundle:
        assert COMPILED in bundle.manifest.files
        assert bundle.manifest.graphs[0].encode == "models/48x80/encode.tflite"


def test_what_it_holds_is_looked_at_too(draft: Any, refused: Callable[..., None]) -> None:
    draft.put(COMPILED, b"no graph at all")
    draft.save()
    refused(draft.folder, COMPILED, "is no LiteRT model")


def test_it_has_no_use_without_its_graph(draft: Any, refused: Callable[..., None]) -> None:
    draft.put("models/48x80/another_edgetpu.tflite", b"")
    draft.save()
    refused(draft.folder, "must not list what has no use")


def test_it_has_no_use_beside_another_engines_graph(
    make_draft: Callable[..., Any], refused: Callable[..., None]
) -> None:
    draft = make_draft(engine="onnxruntime")
    draft.put("models/48x80/encode.onnx_edgetpu.tflite", b"")
    draft.save()
    refused(draft.folder, "must not list what has no use")


def test_a_fused_graph_belongs_to_the_bundle(make_draft: Callable[..., Any]) -> None:
    draft = make_draft(engine="onnxruntime")
    draft.put(FUSED, (draft.folder / draft.graph["encode"]).read_bytes())
    draft.save()
    with open_bundle(draft.folder) as bundle:
        assert FUSED in bundle.manifest.files


def test_what_the_fused_graph_holds_is_looked_at_too(
    make_draft: Callable[..., Any], refused: Callable[..., None]
) -> None:
    draft = make_draft(engine="onnxruntime")
    draft.put(FUSED, b"no graph at all")
    draft.save()
    refused(draft.folder, FUSED, "is cut off or damaged")


def test_a_fused_graph_has_no_use_beside_another_formats_graphs(
    draft: Any, refused: Callable[..., None]
) -> None:
    draft.put(FUSED, b"")
    draft.save()
    refused(draft.folder, "must not list what has no use")
