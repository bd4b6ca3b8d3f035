"""``@compiled``: Numba's decorator with this project's settings, and a cache on disk where one can be had."""

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
    """Compile a function that kernels call, which goes into their files on disk."""
    return numba.njit(**_SETTINGS)(function)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel and keep it on disk, so that another process need not compile it again."""
    if _FOLDER is None:
        return numba.njit(**_SETTINGS)(function)
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER)
    try:
        return numba.njit(cache=True, **_SETTINGS)(function)
    finally:
        config.CACHE_DIR = before
