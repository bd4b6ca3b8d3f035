"""How lanes lie in memory for the kernels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array
from learnrate.engines.kernels.lanes import BLOCK_VECTORS
from learnrate.engines.kernels.vectors import LANE_BYTES

__all__ = ["Layout"]


class Layout:
    """A buffer of one number per parameter and lane: blocks of lanes, each a matrix of its own.

    A block has ``rows`` rows, one per parameter and some more, and a column for each of its lanes. Blocks
    are as large as registers allow, but there is one for every thread where there are lanes enough.

    Attributes
    ----------
    blocks : int64 array, shape (blocks, 3)
        First lane, lanes and vectors of each.
    lanes : int
        Columns in all: K, and what fills the last vector.
    widest : int
        Columns of the largest block.
    """

    def __init__(self, K: int, rows: int, itemsize: int, threads: int) -> None:
        self.K, self.rows = K, rows
        per_vector = LANE_BYTES // itemsize
        vectors = -(-K // per_vector)
        largest = max(1, vectors // threads)
        blocks, lane = [], 0
        for size in BLOCK_VECTORS:
            while size <= min(largest, vectors):
                blocks.append((lane, size * per_vector, size))
                lane, vectors = lane + size * per_vector, vectors - size
        self.blocks = np.array(blocks, dtype=np.int64)
        self.lanes = lane
        self.widest = max(lanes for _, lanes, _ in blocks)

    def matrices(self, buffer: Array) -> Iterator[tuple[slice, Array]]:
        """Each block's lanes and its matrix."""
        for lane, lanes, _ in self.blocks.tolist():
            matrix = buffer[lane * self.rows : (lane + lanes) * self.rows]
            yield slice(lane, lane + lanes), matrix.reshape(self.rows, lanes)

    def put(self, buffer: Array, columns: Array) -> None:
        """Write a column for each of K lanes, or a single one for all."""
        for lanes, matrix in self.matrices(buffer):
            part = columns if columns.shape[1] == 1 else columns[:, lanes]
            kept = matrix if columns.shape[1] == 1 else matrix[:, : part.shape[1]]
            kept[: len(columns)] = part

    def get(self, buffer: Array, rows: int) -> Array:
        """The first rows of all lanes, in float64, as (rows, K)."""
        parts = [matrix[:rows] for _, matrix in self.matrices(buffer)]
        return np.hstack(parts)[:, : self.K].astype(np.float64)
