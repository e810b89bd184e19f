"""The simulation in the network's place: clips unrolled in time through codes, with gradients."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.contracts import BORDER, MEAN
from edge_ttvos.network.box_head import BoxHead
from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.template import Embedding
from edge_ttvos.network.ttvos import TTVOS, Output, State
from edge_ttvos.quantize.observers import fake
from edge_ttvos.quantize.simulation import Simulation


class SimulatedNetwork(TTVOS):
    """Starts, steps and updates as the float network does; its graphs and its template are codes.

    Args:
        config: of the float network.
        simulation: of it, at one size.
        box_head: the float network's, which stays float.
    """

    def __init__(
        self, config: NetworkConfig, simulation: Simulation, box_head: BoxHead | None = None
    ) -> None:
        nn.Module.__init__(self)  # no layers of its own
        self.config = config
        self.box_head = box_head
        self.simulation = simulation

    def encode(self, frame: Tensor) -> Features:
        """RGB (b, 3, h, w) of 0…255 → features, of exact codes."""
        mean = torch.tensor(MEAN, dtype=torch.float32, device=frame.device).view(1, 3, 1, 1)
        bordered = F.pad(frame.float() - mean, (BORDER, 0, BORDER, 0)) + mean
        values = self.simulation("encode", {"frame": bordered})
        return Features(values["s4"], values["s8"], values["s16"])

    def embed(
        self, previous_s8: Tensor, masks: Tensor, s8: Tensor
    ) -> tuple[Tensor, Embedding | None]:
        """The modified s8′, and f, g, q."""
        inputs = {"previous_s8": previous_s8, "masks": masks, "s8": s8}
        values = self.simulation("embed", inputs)
        maps = Embedding(values["f"], values["g"], values["q"]) if "f" in values else None
        return values["modified_s8"], maps

    def decode(
        self,
        features: Features,
        modified_s8: Tensor,
        attention: Tensor | None,
        previous_s16: Tensor,
        masks: Tensor,
    ) -> Output:
        """Logits whose difference are the log-odds; Sᴸ is not handed out (s8′ stands for it)."""
        inputs = {
            "s4": features.s4,
            "modified_s8": modified_s8,
            "attention": modified_s8 if attention is None else attention,
            "s16": features.s16,
            "previous_s16": previous_s16,
            "masks": masks,
        }
        values = self.simulation("decode", inputs)
        log_odds = values["log_odds"]
        weight = values["update_weight"].flatten() if "update_weight" in values else None
        logits = torch.cat([torch.zeros_like(log_odds), log_odds], dim=1)
        return Output(logits, modified_s8, weight)

    def update(self, state: State, embedding: Embedding) -> State:
        """As the float network; the template is kept as codes where the scheme says so."""
        state = super().update(state, embedding)
        scheme = self.simulation.scheme
        if scheme is None or scheme.template is None or state.template is None:
            return state
        return replace(state, template=fake(state.template, scheme.template))
