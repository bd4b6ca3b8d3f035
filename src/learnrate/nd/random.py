"""Random arrays, from a generator of learnrate's own: NumPy's global state is never touched."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.nd.ndarray import NDArray

__all__ = ["normal", "seed", "uniform"]

_generator = np.random.default_rng(0)


def seed(seed_state: int) -> None:
    """Start the random numbers afresh; the same seed gives the same numbers."""
    global _generator
    _generator = np.random.default_rng(seed_state)


def normal(
    loc: float = 0.0, scale: float = 1.0, shape: Any = (1,), dtype: Any = None, ctx: Any = None
) -> NDArray:
    """Numbers from ``N(loc, scale²)``."""
    return NDArray(np.asarray(_generator.normal(loc, scale, shape)).astype(dtype or np.float32))


def uniform(
    low: float = 0.0, high: float = 1.0, shape: Any = (1,), dtype: Any = None, ctx: Any = None
) -> NDArray:
    """Numbers from the uniform distribution on ``[low, high)``."""
    return NDArray(np.asarray(_generator.uniform(low, high, shape)).astype(dtype or np.float32))
