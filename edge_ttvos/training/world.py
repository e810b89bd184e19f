"""One process or many: which device this one trains on, and how they agree.

``torchrun`` starts the processes and tells each its place through the environment; without it there
is one. Gradients are averaged by hand instead of by DistributedDataParallel: it hooks ``forward``,
and a clip calls ``encode`` once and ``step`` for every frame (ADR 18).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from edge_ttvos.errors import TrainingError

CPU = torch.device("cpu")


@dataclass(frozen=True)
class World:
    """This process among all: ``rank`` of ``size``, and the device it computes on."""

    rank: int = 0
    size: int = 1
    device: torch.device = CPU

    @property
    def first(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each float tensor by its mean over all processes, in one exchange."""
        parts = list(tensors)
        if self.size == 1 or not parts:
            return
        flat = torch.cat([part.detach().reshape(-1).float() for part in parts])
        distributed.all_reduce(flat)
        flat /= self.size
        means = torch.split(flat, [part.numel() for part in parts])
        for part, mean in zip(parts, means, strict=True):
            part.detach().copy_(mean.view_as(part))

    def gathered(self, value: Any) -> list[Any]:
        """Everybody's value, by rank."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value)
        return values

    def agreed(self, said: bool) -> bool:
        """Whether anybody said so."""
        if self.size == 1:
            return said
        flag = torch.tensor([float(said)], device=self.device)
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return bool(flag.item())

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()


ALONE = World()


@contextmanager
def joined_world() -> Iterator[World]:
    """The world that ``torchrun`` made, or a world of one; CUDA where there is any.

    Raises:
        TrainingError: there are more processes on this machine than its GPUs.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available()
    if cuda and local >= torch.cuda.device_count():
        raise TrainingError(
            f"process {local} of this machine has no GPU of its own: it has "
            f"{torch.cuda.device_count()}; give torchrun --nproc-per-node that many"
        )
    device = torch.device("cuda", local) if cuda else CPU
    if cuda:
        torch.cuda.set_device(device)  # what exchanges objects asks for the current one
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device=device)
        return
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield World(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()
