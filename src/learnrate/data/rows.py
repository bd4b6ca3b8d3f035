"""Examples that are read in blocks of rows, from memory or from files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["ArrayRows", "Block", "Rows"]


class Block(NamedTuple):
    """Consecutive examples.

    Attributes
    ----------
    X : array, shape (rows, d)
        Features, in C order.
    y : array, shape (rows,)
        Labels; int64 codes where they are classes.
    """

    X: Float[Array, "rows d"]
    y: Float[Array, " rows"] | Int[Array, " rows"]


@runtime_checkable
class Rows(Protocol):
    """Examples that may not fit in memory: features and labels, read in blocks."""

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
        """The rows ``0, step, 2 step, …``, as one block."""
        ...

    def blocks(self, rows: int, sequence: Iterable[int]) -> Iterator[Block]:
        """Yield the blocks with these numbers. Block i begins at row ``i · rows``; the last one may be shorter.

        A block may be used only until the next one is yielded, since its memory is used again.
        """
        ...


class ArrayRows:
    """`Rows` of arrays in memory. Blocks are views of the arrays."""

    def __init__(self, X: Float[Array, "n d"], y: Float[Array, " n"] | Int[Array, " n"]) -> None:
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
        """The rows ``0, step, 2 step, …``, as one block."""
        return Block(self.X[::step], self.y[::step])

    def blocks(self, rows: int, sequence: Iterable[int]) -> Iterator[Block]:
        """Yield the blocks with these numbers. Block i begins at row ``i · rows``."""
        for block in sequence:
            here = slice(block * rows, (block + 1) * rows)
            yield Block(self.X[here], self.y[here])
