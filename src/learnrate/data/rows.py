"""Examples that are read in blocks of rows, wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["ArrayRows", "Block", "Rows"]


class Block(NamedTuple):
    """Consecutive examples.

    Attributes
    ----------
    X : array, shape (rows, d)
        Features, in C order.
    y : array, shape (rows,)
        Labels.
    """

    X: Float[Array, "rows d"]
    y: Float[Array, " rows"]


@runtime_checkable
class Rows(Protocol):
    """Examples, features and labels of one type, too many perhaps to hold them all."""

    @property
    def n(self) -> int:
        """Number of examples."""
        ...

    @property
    def d(self) -> int:
        """Number of features."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        ...

    def every(self, step: int) -> Block:
        """The rows ``0, step, 2 step, …``, held at once."""
        ...

    def blocks(self, rows: int, sequence: Iterable[int]) -> Iterator[Block]:
        """The blocks with these numbers; block i begins at row ``i · rows``, and the last may be short.

        A block may be read only until the next one is asked for: its memory is used again.
        """
        ...


class ArrayRows:
    """`Rows` of arrays in memory: blocks are views."""

    def __init__(self, X: Float[Array, "n d"], y: Float[Array, " n"]) -> None:
        self.X, self.y = X, y

    @property
    def n(self) -> int:
        """Number of examples."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of X."""
        return self.X.dtype

    def every(self, step: int) -> Block:
        """The rows ``0, step, 2 step, …``."""
        return Block(self.X[::step], self.y[::step])

    def blocks(self, rows: int, sequence: Iterable[int]) -> Iterator[Block]:
        """The blocks with these numbers."""
        for block in sequence:
            here = slice(block * rows, (block + 1) * rows)
            yield Block(self.X[here], self.y[here])
