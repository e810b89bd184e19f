"""The shapes in annotations are checked while the tests run."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

from edge_ttvos.network.template import read_template


def test_a_wrong_shape_is_caught() -> None:
    with pytest.raises(TypeCheckError, match="read_template"):
        read_template(torch.zeros(1, 4, 5), torch.zeros(1, 5, 2, 2))
