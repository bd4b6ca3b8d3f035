"""What all arrays of `nd` have in common: the elements, and the node of the recorded graph."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from learnrate._shapes import Array
from learnrate.autograd import Node

__all__ = ["A", "Base"]


class Base:
    """The elements of an array, and the node that recorded how they were computed, or None."""

    __slots__ = ("_data", "_node")

    _data: Array
    _node: Node | None

    def __init__(self, data: Array, node: Node | None = None) -> None:
        self._data = data
        self._node = node

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._data, dtype=dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        return self._data.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim


A = TypeVar("A", bound=Base)
"""The kind of array that a function is given and returns: `NDArray`, or a subclass."""
