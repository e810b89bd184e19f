"""One allocation for everything that lives from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import TensorSpec

ALIGNMENT = 64  # bytes: a cache line, and what the engines want of bound tensors

Array = NDArray[Any]


class Arena:
    """Named arrays in one zeroed block; their sizes never change.

    Args:
        tensors: the buffers, with unique names.

    Raises:
        ValueError: two buffers share a name.
    """

    def __init__(self, tensors: Iterable[TensorSpec]) -> None:
        self.offsets: dict[str, int] = {}
        self.specs: dict[str, TensorSpec] = {}
        end = 0
        for tensor in tensors:
            if tensor.name in self.specs:
                raise ValueError(f"two buffers are called {tensor.name}")
            self.specs[tensor.name] = tensor
            self.offsets[tensor.name] = end
            end += -(-tensor.nbytes // ALIGNMENT) * ALIGNMENT
        block = np.zeros(end + ALIGNMENT, np.uint8)
        start = -block.ctypes.data % ALIGNMENT
        self._block = block[start : start + end]
        self._arrays = {name: self._view(spec) for name, spec in self.specs.items()}

    def _view(self, spec: TensorSpec) -> Array:
        start = self.offsets[spec.name]
        raw = self._block[start : start + spec.nbytes]
        return raw.view(spec.dtype).reshape(spec.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the block, alignment included."""
        return self._block.nbytes

    @property
    def arrays(self) -> Mapping[str, Array]:
        """The buffers by name."""
        return self._arrays

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]
