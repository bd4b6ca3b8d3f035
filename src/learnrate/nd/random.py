"""Random arrays, from a generator of learnrate: NumPy's global random state is not used.

As in MXNet, a script that sets no seed gets the same numbers every time it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from learnrate._missing import missing
from learnrate._shapes import Array
from learnrate.errors import InputError, OptionError
from learnrate.nd.context import check_context
from learnrate.nd.functions.arguments import dtype_of, into, shape_tuple
from learnrate.nd.ndarray import NDArray

__all__ = ["normal", "randint", "randn", "seed", "shuffle", "uniform"]

_generator = np.random.default_rng(0)


def seed(seed_state: int, ctx: Any = None) -> None:
    """Restart the random numbers with a seed, an int ≥ 0; the same seed gives the same numbers."""
    global _generator
    if not isinstance(seed_state, int) or seed_state < 0:
        raise OptionError(f"A seed must be an int ≥ 0. Got {seed_state!r} instead.")
    del ctx
    _generator = np.random.default_rng(seed_state)


@contextmanager
def fresh_random() -> Iterator[None]:
    """Scope in which random numbers begin as in a new process; afterwards they continue as before."""
    global _generator
    before = _generator
    seed(0)
    try:
        yield
    finally:
        _generator = before


def _shape(shape: Any) -> tuple[int, ...]:
    return (1,) if shape is None or shape == () else shape_tuple(shape)


def _number(name: str, value: Any) -> float:
    if not isinstance(value, int | float | np.number):
        raise OptionError(f"{name} must be a number. Got {type(value).__name__} instead.")
    return float(value)


def _finish(
    numbers: Array, dtype: Any, ctx: Any, out: NDArray | None, default: str = "float32"
) -> NDArray:
    check_context(ctx)
    return into(out, NDArray(numbers.astype(dtype_of(dtype or default))))


def normal(
    loc: float = 0.0,
    scale: float = 1.0,
    shape: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: NDArray | None = None,
) -> NDArray:
    """Random numbers from the normal distribution ``N(loc, scale²)``; a single one without ``shape``."""
    if _number("scale", scale) < 0:
        raise OptionError(f"scale must be at least 0. Got {scale} instead.")
    size = out.shape if out is not None and shape is None else _shape(shape)
    return _finish(_generator.normal(_number("loc", loc), scale, size), dtype, ctx, out)


def randn(
    *shape: int, loc: float = 0.0, scale: float = 1.0, dtype: Any = None, ctx: Any = None
) -> NDArray:
    """Random numbers from ``N(loc, scale²)``, with the lengths of the axes as arguments: ``randn(2, 3)``."""
    return normal(loc, scale, shape, dtype, ctx)


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    shape: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: NDArray | None = None,
) -> NDArray:
    """Random numbers from the uniform distribution on ``[low, high)``; a single one without ``shape``."""
    size = out.shape if out is not None and shape is None else _shape(shape)
    numbers = _generator.uniform(_number("low", low), _number("high", high), size)
    return _finish(numbers, dtype, ctx, out)


def randint(
    low: int,
    high: int,
    shape: Any = None,
    dtype: Any = None,
    ctx: Any = None,
    out: NDArray | None = None,
) -> NDArray:
    """Random integers from ``low`` up to but not including ``high``, int32 by default."""
    if high <= low:
        raise OptionError(f"high must be greater than low. Got {high} and {low} instead.")
    return _finish(_generator.integers(low, high, _shape(shape)), dtype, ctx, out, "int32")


def shuffle(data: NDArray, out: NDArray | None = None) -> NDArray:
    """Return a copy of ``data`` with its rows in a random order."""
    if not isinstance(data, NDArray):
        raise InputError(f"shuffle must be given an NDArray. Got {type(data).__name__} instead.")
    return into(out, NDArray(data._data[_generator.permutation(len(data))]))


__getattr__ = missing("random", __all__)
