"""``@compiled``: Numba's decorator with this project's settings, and a disk cache where one can be had."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["compiled", "inlined", "inner"]

_SETTINGS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "boundscheck": False}
_warned = False


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, which goes into their files on disk."""
    return njit(**_SETTINGS)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Put a function's body where it is called: for what is called in the midst of the arithmetic."""
    return njit(inline="always", **_SETTINGS)(function)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel and keep it on disk, so that another process need not compile it again."""
    global _warned
    try:
        return njit(cache=True, **_SETTINGS)(function)
    except RuntimeError:  # no folder can be written: neither the package's, nor the user's
        if not _warned:
            _warned = True
            warnings.warn(
                "Compiled kernels can't be kept on disk, so every process compiles them again. "
                "Set NUMBA_CACHE_DIR to a folder that can be written.",
                stacklevel=2,
            )
        return njit(**_SETTINGS)(function)
