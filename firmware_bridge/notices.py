"""What a user should know though nothing failed, told once a process on the error stream."""

from __future__ import annotations

import logging
from functools import lru_cache


@lru_cache
def tell(message: str) -> None:
    """Say it; not again if it was said before."""
    logging.getLogger("edge_ttvos").warning(message)
