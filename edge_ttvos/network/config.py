"""What distinguishes one TTVOS network from another: a frozen record and two named presets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from edge_ttvos.contracts import UpdateRule

MOST = 1_000_000  # of any count: more is a typing error


@dataclass(frozen=True)
class NetworkConfig:
    """One TTVOS network. The switches of the paper's Table 3 are the last three fields.

    Attributes:
        name: how people call it: ``paper``, ``release`` or a name of their own.
        mask_history: k, the number of previous masks that condition the matching.
        coordinates: whether x, y and radius maps join the template's inputs.
        scaled_softmax: whether eq. (1) is divided by sqrt(H·W), the 1/8 map's pixels.
        update: ``average`` is eq. (2); ``weighted`` learns the step from the decoder (the authors'
            release); ``frozen`` keeps the first frame's template (Table 3, Lup off).
        template_channels: c_tp, side of the square template.
        channels_per_group: of the 5×5 group convolutions of f, g, q and s8′.
        short_term: off, the short-term matching becomes concat(s16, mask) and convolutions.
        long_term: off, the long-term matching becomes concat(s8, mask) and convolutions.
        box_head: whether a head of its own finds the object in a first box; without, the network
            follows the box's prior into the box's own frame.
    """

    name: str = "release"
    mask_history: int = 3  # masks
    coordinates: bool = True
    scaled_softmax: bool = True
    update: UpdateRule = "weighted"
    template_channels: int = 32
    channels_per_group: int = 4
    short_term: bool = True
    long_term: bool = True
    box_head: bool = False

    def __post_init__(self) -> None:
        for key in ("mask_history", "template_channels", "channels_per_group"):
            if not 1 <= getattr(self, key) <= MOST:
                raise ValueError(
                    f"{key} must be at most {MOST} and at least 1; got {getattr(self, key)}"
                )
        if self.update not in get_args(UpdateRule):
            raise ValueError(
                f"update must be one of {', '.join(get_args(UpdateRule))}; got {self.update!r}"
            )
        if self.template_channels % self.channels_per_group:
            raise ValueError(
                "channels_per_group must divide template_channels; got "
                f"{self.channels_per_group} and {self.template_channels}"
            )

    @property
    def mask_channels(self) -> int:
        """Channels of the mask history: background and foreground of each mask."""
        return 2 * self.mask_history

    @property
    def coordinate_channels(self) -> int:
        """x, y and radius, or none."""
        return 3 if self.coordinates else 0

    def without(self, switch: Literal["short_term", "long_term", "update"]) -> NetworkConfig:
        """The same network with one matching, or the template's update, switched off."""
        if switch == "update":
            return replace(self, name=f"{self.name}-frozen", update="frozen")
        if switch == "short_term":
            return replace(self, name=f"{self.name}-no-short-term", short_term=False)
        return replace(self, name=f"{self.name}-no-long-term", long_term=False)


PRESETS = {
    "paper": NetworkConfig(
        name="paper", mask_history=1, coordinates=False, scaled_softmax=False, update="average"
    ),
    "release": NetworkConfig(),
}
