"""manifest.json: what a bundle holds, as frozen records; ``docs/reference/bundle.md`` explains it.

Every record checks itself as it is made: by the host that writes it, by the board that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edge_ttvos.contracts import (
    BORDER,
    FrameSpec,
    ModelSpec,
    TensorCodes,
    TensorSpec,
    UpdateRule,
)
from edge_ttvos.errors import BundleError
from edge_ttvos.firmware_bridge.bundle import checks
from edge_ttvos.firmware_bridge.bundle.limits import MAX_COUNT, MAX_MANIFEST, MAX_MEMBER
from edge_ttvos.firmware_bridge.bundle.migrations import migrated
from edge_ttvos.firmware_bridge.bundle.strict_json import decoded
from edge_ttvos.records import build, plain

SCHEMA = 1
AGAIN = "copy the bundle again, or make it anew with `edge-ttvos deploy`"


@dataclass(frozen=True)
class CreatedBy:
    """The edge-ttvos that wrote the bundle: its version, and its git commit where there is one."""

    version: str
    commit: str | None


@dataclass(frozen=True)
class ModelRecord:
    """All of ``contracts.ModelSpec`` but the frame; ``sha256`` is the checkpoint's."""

    name: str
    sha256: str
    precision: str
    mask_history: int
    scaled_softmax: bool
    update: UpdateRule
    long_term: bool
    template_channels: int
    codes: tuple[TensorCodes, ...]

    def __post_init__(self) -> None:
        checks.texts("model", self.name, self.precision)
        checks.sha256("model", self.sha256)
        checks.within("model: mask_history", self.mask_history, 1, MAX_COUNT)
        checks.within("model: template_channels", self.template_channels, 1, MAX_COUNT)
        checks.codes(self.codes)


@dataclass(frozen=True)
class Preprocessing:
    """What stands between a camera's frame and the graph's input (H + border, W + border, 3).

    Attributes:
        colour: order of the channels.
        dtype: of the input.
        mean: the colour that pads a frame and that the network sees as zero.
        border: pixels of that colour above and left, in place of the first convolution's padding.
    """

    colour: Literal["RGB"]
    dtype: Literal["uint8"]
    mean: tuple[int, int, int]
    border: int

    def __post_init__(self) -> None:
        for value in self.mean:
            checks.within("preprocessing: mean", value, 0, 255)
        checks.within("preprocessing: border", self.border, BORDER, BORDER)


@dataclass(frozen=True)
class Golden:
    """A short clip that the board runs to test itself.

    Attributes:
        frames: paths of RGB images of one size, in order, at least two.
        masks: indexed images of the same size, one a frame; the first is given to the tracker, the
            others are what it should answer.
    """

    frames: tuple[str, ...]
    masks: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.frames) == len(self.masks) >= 2:
            raise ValueError(
                "golden: frames and masks must be as many, at least 2; got "
                f"{len(self.frames)} and {len(self.masks)}"
            )


@dataclass(frozen=True)
class Graph:
    """One model at one size.

    Attributes:
        size: height and width of a frame in pixels, without the border, multiples of 16.
        encode: path of the engine's file; so are ``embed`` and ``decode``.
        golden: clip to test it with.
        state: of one object: shared buffers, then the slot's, as ``contracts.state_spec`` names
            them.
    """

    size: tuple[int, int]
    encode: str
    embed: str
    decode: str
    golden: Golden
    state: tuple[TensorSpec, ...]

    def __post_init__(self) -> None:
        checks.graph_size(self.size)

    @property
    def paths(self) -> tuple[str, str, str]:
        """Of the three files."""
        return self.encode, self.embed, self.decode


@dataclass(frozen=True)
class SequenceFigures:
    """J&F, J and F of one sequence in percent; None (null) where a figure is undefined."""

    j_and_f: float | None = field(metadata={"key": "J&F"})
    j: float | None = field(metadata={"key": "J"})
    f: float | None = field(metadata={"key": "F"})

    def __post_init__(self) -> None:
        checks.percents("float_scores", self.j_and_f, self.j, self.f)


@dataclass(frozen=True)
class FloatScores:
    """What the float model scored in PyTorch, for the board to tell its loss against."""

    dataset: str
    sequences: Mapping[str, SequenceFigures]
    j_and_f: float | None = field(metadata={"key": "J&F"})

    def __post_init__(self) -> None:
        checks.texts("float_scores", self.dataset, *self.sequences)
        checks.percents("float_scores", self.j_and_f)


@dataclass(frozen=True)
class FileRecord:
    """Checksum (64 hexadecimal digits) and length of one file."""

    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        checks.sha256("files", self.sha256)
        checks.within("files: bytes", self.bytes, 0, MAX_MEMBER)


@dataclass(frozen=True)
class Manifest:
    """All that a board must know of a bundle.

    Attributes:
        schema: version of this format.
        target: name of the board that the bundle is for.
        engine: name of the inference engine; it decides the graphs' suffix.
        engine_versions: those that the bundle was tested with.
        created_by: who wrote it.
        model: which network.
        preprocessing: what the graphs expect.
        graphs: one a size.
        float_scores: of the float model, None where nobody measured them.
        files: every file of the bundle but manifest.json, by path.
        requirements: what pip must install beside the runtime's wheel, one a line.
    """

    schema: int
    target: str
    engine: str
    engine_versions: tuple[str, ...]
    created_by: CreatedBy
    model: ModelRecord
    preprocessing: Preprocessing
    graphs: tuple[Graph, ...]
    float_scores: FloatScores | None
    files: Mapping[str, FileRecord]
    requirements: tuple[str, ...]

    def __post_init__(self) -> None:
        checks.within("schema", self.schema, SCHEMA, SCHEMA)
        checks.manifest(self)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each graph, in pixels."""
        return tuple(graph.size for graph in self.graphs)

    def graph(self, size: tuple[int, int]) -> Graph:
        """The graph of a size.

        Raises:
            BundleError: there is none.
        """
        for graph in self.graphs:
            if graph.size == size:
                return graph
        listed = ", ".join(f"{height}x{width}" for height, width in self.sizes)
        raise BundleError(
            f"the bundle has no graph of {size[0]}x{size[1]}: take one of {listed}, or make it "
            f"anew with `edge-ttvos deploy --size {size[0]}x{size[1]}`"
        )

    def model_spec(self, size: tuple[int, int]) -> ModelSpec:
        """What the tracker must know, at one of ``sizes``.

        Raises:
            BundleError: there is no such size.
        """
        frame = FrameSpec(*self.graph(size).size, mean=self.preprocessing.mean)
        return ModelSpec(frame=frame, **vars(self.model))

    def to_json(self) -> dict[str, Any]:
        """The content of manifest.json."""
        table: dict[str, Any] = plain(self)
        return table


def parse_manifest(document: bytes | dict[str, Any]) -> Manifest:
    """Read manifest.json, of this schema or an older one.

    Args:
        document: the file's bytes, or what they decode to (left as it is).

    Raises:
        BundleError: no JSON, a newer schema, an unknown, missing or doubled key, a value of the
            wrong kind or out of range, or parts that do not fit together.
    """
    try:
        if isinstance(document, bytes) and len(document) > MAX_MANIFEST:
            raise ValueError(f"may have at most {MAX_MANIFEST} bytes; got {len(document)}")
        table = decoded(document) if isinstance(document, bytes) else document
        return build(Manifest, migrated(table, SCHEMA), defaults=False)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"manifest.json: {error}; {AGAIN}") from error
