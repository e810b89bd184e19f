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

from edge_ttvos.firmware_bridge.box_head import CAUTION
from edge_ttvos.network.box_head import BoxHead
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
    weight: Float[Tensor, " b"] | None = None
    updates: int = 0


@dataclass(frozen=True)
class Output:
    """One frame: logits (background, foreground) at full size, Sᴸ, and w where it is learnt."""

    logits: Float[Tensor, "b 2 h w"]
    similarity: Float[Tensor, "b 32 h8 w8"]
    weight: Float[Tensor, " b"] | None


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
        self.embedding = TemplateEmbedding(config) if config.long_term else MaskedFeatures(config)
        self.similarity = LongTermSimilarity(config) if config.long_term else None
        self.decoder = Decoder(config.long_term and config.update == "weighted")
        self.box_head = BoxHead() if config.box_head else None
        self._coordinates: dict[tuple[int, int], Tensor] = {}

    @property
    def flat_box_head(self) -> Float[Tensor, " n"] | None:
        """The box head's parameters in a row, as boards read them; None: there is none."""
        if self.box_head is None:
            return None
        return nn.utils.parameters_to_vector(self.box_head.parameters()).detach()

    def encode(self, frame: Float[Tensor, "b 3 h w"] | UInt8[Tensor, "b 3 h w"]) -> Features:
        """RGB frames of values 0…255, sides multiples of 16 → features."""
        features: Features = self.backbone(frame)
        return features

    def embed(
        self,
        previous_s8: Float[Tensor, "b 32 h w"],
        masks: Float[Tensor, "b m h w"],
        s8: Float[Tensor, "b 32 h w"],
    ) -> tuple[Float[Tensor, "b 32 h w"], Embedding | None]:
        """The modified s8′, and f, g, q (None without long-term matching)."""
        coordinates = self._coordinate_maps(masks)
        modified, embedding = self.embedding(previous_s8, masks, s8, coordinates)
        return modified, embedding

    def decode(
        self,
        features: Features,
        modified_s8: Float[Tensor, "b 32 h8 w8"],
        attention: Float[Tensor, "b 32 h8 w8"] | None,
        previous_s16: Float[Tensor, "b 192 h16 w16"],
        masks: Float[Tensor, "b m h8 w8"],
    ) -> Output:
        """Long-term similarity of s8′ and A, short-term matching, decoder."""
        similarity = modified_s8
        if self.similarity is not None:
            assert attention is not None, "a network with long-term matching needs A"
            similarity = self.similarity(modified_s8, attention)
        short_term = self.short_term(features.s16, previous_s16, masks)
        logits, weight = self.decoder(features.s4, similarity, short_term)
        return Output(logits, similarity, weight)

    def update(self, state: State, embedding: Embedding) -> State:
        """Equation (1), then the configured update rule; the first update gives TP₁ = I."""
        t = state.updates + 1
        if state.template is None:
            template = embedding_matrix(embedding.f, embedding.g, self.config.scaled_softmax)
        elif self.config.update == "frozen":
            template = state.template
        else:
            matrix = embedding_matrix(embedding.f, embedding.g, self.config.scaled_softmax)
            if self.config.update == "average":
                template = average_update(state.template, matrix, t)
            else:
                assert state.weight is not None, "the decoder gives w with every frame"
                template = weighted_update(state.template, matrix, state.weight)
        return replace(state, template=template, updates=t)

    def start(self, features: Features, foreground: Float[Tensor, "b h w"]) -> State:
        """State after frame 0, whose mask the user gives; it stands in for all k masks."""
        masks = heatmap(foreground).repeat(1, self.config.mask_history, 1, 1)
        return State(features, masks)

    def start_in_box(
        self, features: Features, prior: Float[Tensor, "b h w"]
    ) -> tuple[Float[Tensor, "b 2 h w"], State]:
        """Find in frame 0 itself what a box holds, and start with that.

        Args:
            features: of frame 0.
            prior: above 0 inside the box; surest in its middle.

        Returns:
            The frame's logits, and the state after it: the mask found, nothing outside the box. Of
            what the box head finds, that which is in doubt stays out.
        """
        if self.box_head is None:
            output, _ = self.step(features, self.start(features, prior))
            logits, probability = output.logits, output.logits.softmax(dim=1)[:, 1]
        else:
            logit = self.box_head(features, prior)
            logits = torch.stack([torch.zeros_like(logit), logit], dim=1)
            probability = (logit - CAUTION).sigmoid()
        return logits, self.start(features, probability * (prior > 0))

    def step(self, features: Features, state: State) -> tuple[Output, State]:
        """One frame for objects that do not compete: each keeps its own softmax."""
        before = state.features
        modified_s8, embedding = self.embed(before.s8, state.masks, features.s8)
        attention = None
        if embedding is not None:
            state = self.update(state, embedding)
            assert state.template is not None
            attention = read_template(state.template, embedding.q)
        output = self.decode(features, modified_s8, attention, before.s16, state.masks)
        newest = heatmap(output.logits.softmax(dim=1)[:, 1])
        masks = torch.cat([newest, state.masks[:, :-2]], dim=1)
        return output, replace(state, features=features, masks=masks, weight=output.weight)

    def _coordinate_maps(self, like: Float[Tensor, "b m h w"]) -> Float[Tensor, "1 c h w"]:
        height, width = like.shape[-2:]
        if not self.config.coordinates:
            return like.new_zeros(1, 0, height, width)
        key = (height, width)
        if key not in self._coordinates:
            self._coordinates[key] = coordinate_maps(height, width)
        return self._coordinates[key].to(like)
