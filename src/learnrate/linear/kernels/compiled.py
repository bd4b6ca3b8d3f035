"""``@compiled``: Numba's decorator with the settings of learnrate, and a cache on disk if a folder can be written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numba

from learnrate.linear.kernel_cache import cache_folder

__all__ = ["compiled", "inner"]

_SETTINGS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "boundscheck": False}
_FOLDER = cache_folder()

if _FOLDER is None:
    warnings.warn(
        "Compiled kernels cannot be kept on disk, so every process has to compile them. "
        "Set NUMBA_CACHE_DIR to a folder that can be written.",
        stacklevel=2,
    )


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call. It is stored as a part of them, not by itself."""
    return numba.njit(**_SETTINGS)(function)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel and store it on disk, so that other processes can load it."""
    if _FOLDER is None:
        return numba.njit(**_SETTINGS)(function)
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER)
    try:
        return numba.njit(cache=True, **_SETTINGS)(function)
    finally:
        config.CACHE_DIR = before
