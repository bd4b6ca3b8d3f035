"""The keys of ``x[…]``: integers, slices and arrays of indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.errors import OptionError

__all__ = ["EVERYTHING", "numpy_key"]

EVERYTHING = slice(None)
"""The key of ``x[:]``."""


def numpy_key(key: Any) -> tuple[Any, bool]:
    """The key for NumPy, and whether it is basic, that is, without arrays of indices.

    Arrays and lists of any type are indices, truncated to integers. A result of a comparison is not a mask: its ones
    are the index 1.

    Raises
    ------
    OptionError
        If the key is not an index.
    """
    if type(key) is int or type(key) is slice:
        return key, True
    if not isinstance(key, tuple):
        part, basic = _part(key)
        return part, basic
    parts = [_part(part) for part in key]
    return tuple([part for part, _ in parts]), all(basic for _, basic in parts)


def _part(part: Any) -> tuple[Any, bool]:
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part, True
    if hasattr(part, "_node"):
        return _integers(part._data), False
    if isinstance(part, list | np.ndarray | range):
        return _integers(np.asarray(part)), False
    if hasattr(part, "__index__"):
        return int(part.__index__()), True
    raise OptionError(
        "An index must be an int, a slice, None, `...`, a list, a NumPy array or an NDArray. "
        f"Got {part!r} of type {type(part).__name__} instead."
    )


def _integers(indices: Any) -> Any:
    if indices.dtype.kind not in "biuf":
        raise OptionError(
            f"An array of indices must be of numbers. Got dtype {indices.dtype} instead."
        )
    with np.errstate(invalid="ignore"):
        return indices.astype(np.intp)
