"""TTVOS assembled: three static graphs (encode, embed, decode) and the float arithmetic between.

Boards run the graphs one by one and do the arithmetic in NumPy; training calls ``step``, which is
the same sequence in torch. One tensor row is one object: clips of a batch in training, objects of
a frame in tracking.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.decoder import Decoder
from edge_ttvos.network.hrnet import Features, HRNet
from edge_ttvos.network.short_term import ShortTermMatching
from edge_ttvos.network.template import (
    Embedding,
    LongTermSimilarity,
    MaskedFeatures,
    TemplateEmbedding,
    average_update,
    coordinate_maps,
    embedding_matrix,
    read_template,
    weighted_update,
)

STATE_STRIDE = 8  # pixels: masks of the state stand at 1/8


@dataclass(frozen=True)
class State:
    """What one frame hands to the next.

    Attributes:
        features: of the previous frame.
        masks: Ĥ of the last k frames at 1/8, newest first, each background and foreground.
        template: TP, or None before the first update (or without long-term matching).
        weight: w of the previous frame for the coming update; None with ``average``.
        updates: t, how often the template has been updated.
    """

    features: Features
    masks: Float[Tensor, "b m h8 w8"]
    template: Float[Tensor, "b 32 32"] | None = None
    weight: Float[Tensor, "b"] | None = None
    updates: int = 0


@dataclass(frozen=True)
class Output:
    """One step: full-size logits (background, foreground) and the long-term similarity map."""

    logits: Float[Tensor, "b 2 h w"]
    similarity: Float[Tensor, "b 32 h8 w8"]


def two_channels(foreground: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 2 h w"]:
    """Background and foreground from the foreground alone."""
    return torch.cat([1 - foreground, foreground], dim=1)


def heatmap(foreground: Float[Tensor, "b h w"]) -> Float[Tensor, "b 2 h8 w8"]:
    """Ĥ: 8×8 means of a mask or probability, as background and foreground channels."""
    return two_channels(F.avg_pool2d(foreground[:, None], STATE_STRIDE))


class TTVOS(nn.Module):
    """The inference network, 1.60 M parameters (Park, Venkatesh, Kwak 2020)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = HRNet()
        self.short_term = ShortTermMatching(config)
        self.embedding: TemplateEmbedding | MaskedFeatures
        if config.long_term:
            self.embedding = TemplateEmbedding(config)
            self.similarity = LongTermSimilarity(config)
        else:
            self.embedding = MaskedFeatures(config)
        self.decoder = Decoder(config.long_term and config.update == "weighted")
        self._coordinates: dict[tuple[int, int], Tensor] = {}

    def encode(self, frame: Float[Tensor, "b 3 h w"] | UInt8[Tensor, "b 3 h w"]) -> Features:
        """RGB frames of values 0…255, sides multiples of 16 → features."""
        features: Features = self.backbone(frame)
        return features

    def embed(
        self,
        previous_s8: Float[Tensor, "b 32 h w"],
        masks: Float[Tensor, "b m h w"],
        s8: Float[Tensor, "b 32 h w"],
    ) -> Embedding:
        """f and g of the previous frame, q and s8′ of this one; (b, 32, h, w) each."""
        if not isinstance(self.embedding, TemplateEmbedding):
            raise TypeError("a network without long-term matching has no template to embed")
        embedding: Embedding = self.embedding(previous_s8, masks, s8, self._coordinate_maps(masks))
        return embedding

    def decode(
        self,
        features: Features,
        previous_s16: Float[Tensor, "b 192 h16 w16"],
        masks: Float[Tensor, "b m h8 w8"],
        similarity: Float[Tensor, "b 32 h8 w8"],
    ) -> tuple[Float[Tensor, "b 2 h w"], Float[Tensor, "b"] | None]:
        """Short-term matching and the decoder → logits, and w where the network learns it."""
        short_term = self.short_term(features.s16, previous_s16, masks)
        logits, weight = self.decoder(features.s4, similarity, short_term)
        return logits, weight

    def long_term(
        self, state: State, features: Features
    ) -> tuple[Float[Tensor, "b 32 h8 w8"], State]:
        """Update and read the template → Sᴸ and the state with the new template."""
        if not isinstance(self.embedding, TemplateEmbedding):
            coordinates = self._coordinate_maps(state.masks)
            return self.embedding(features.s8, state.masks, coordinates), state
        f, g, q, s8 = self.embed(state.features.s8, state.masks, features.s8)
        state = self.update(state, f, g)
        assert state.template is not None
        similarity: Tensor = self.similarity(s8, read_template(state.template, q))
        return similarity, state

    def update(
        self, state: State, f: Float[Tensor, "b 32 h w"], g: Float[Tensor, "b 32 h w"]
    ) -> State:
        """Equation (1), then the configured update rule; the first update gives TP₁ = I."""
        t = state.updates + 1
        if state.template is None:
            template = embedding_matrix(f, g, self.config.scaled_softmax)
        elif self.config.update == "frozen":
            template = state.template
        elif self.config.update == "average":
            embedding = embedding_matrix(f, g, self.config.scaled_softmax)
            template = average_update(state.template, embedding, t)
        else:
            assert state.weight is not None
            embedding = embedding_matrix(f, g, self.config.scaled_softmax)
            template = weighted_update(state.template, embedding, state.weight)
        return replace(state, template=template, updates=t)

    def start(self, features: Features, foreground: Float[Tensor, "b h w"]) -> State:
        """State after frame 0, whose mask the user gives; it stands in for all k masks."""
        masks = heatmap(foreground).repeat(1, self.config.mask_history, 1, 1)
        return State(features, masks)

    def step(self, features: Features, state: State) -> tuple[Output, State]:
        """One frame for objects that do not compete: each keeps its own softmax."""
        similarity, state = self.long_term(state, features)
        logits, weight = self.decode(features, state.features.s16, state.masks, similarity)
        newest = heatmap(logits.softmax(dim=1)[:, 1])
        masks = torch.cat([newest, state.masks[:, :-2]], dim=1)
        state = replace(state, features=features, masks=masks, weight=weight)
        return Output(logits, similarity), state

    def _coordinate_maps(self, like: Float[Tensor, "b m h w"]) -> Float[Tensor, "1 c h w"]:
        height, width = like.shape[-2:]
        if not self.config.coordinates:
            return like.new_zeros(1, 0, height, width)
        key = (height, width)
        if key not in self._coordinates:
            self._coordinates[key] = coordinate_maps(height, width)
        return self._coordinates[key].to(like)
