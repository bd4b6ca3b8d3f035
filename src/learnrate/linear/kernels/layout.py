"""How arrays lie in memory for the kernels: aligned, of one type, and lanes in blocks."""

from __future__ import annotations

import math

import numpy as np

from learnrate._shapes import Array
from learnrate.linear.kernels.vectors import LANE_BYTES, TILE

__all__ = ["Layout", "aligned_zeros", "indices", "read_only"]

_LINE = 64  # bytes


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> Array:
    """Zeros that begin at a cache line. A vector that lies across two lines takes twice as long to read."""
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + _LINE, dtype=np.uint8)
    first = -room.__array_interface__["data"][0] % _LINE
    return room[first : first + size].view(dtype).reshape(shape)


def read_only(array: Array) -> Array:
    """A contiguous, read-only view of an array, or of a copy if the array is not contiguous.

    Kernels are compiled for this type only, whether the caller's array is read-only or not.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def indices(order: Array) -> Array:
    """Row numbers as int32, or as int64 if there are 2³¹ or more: the types that kernels are compiled for."""
    return order.astype(np.int32 if order.size < 2**31 else np.int64, copy=False)


class Layout:
    """The layout of a buffer with a number for each parameter of each lane: blocks of lanes, each a matrix of its own.

    Attributes
    ----------
    K : int
        Number of lanes.
    lanes, rows, blocks : int
        Lanes in a block, which are one vector; rows of a block; number of blocks.
    """

    def __init__(self, K: int, parameters: int, dtype: np.dtype[np.floating]) -> None:
        self.K = K
        self.lanes = LANE_BYTES // dtype.itemsize
        self.rows = (
            -(-(parameters + 1) // TILE) * TILE
        )  # a row of −1 too, and room for the last tile
        self.blocks = -(-K // self.lanes)
        self.dtype = dtype

    def zeros(self) -> Array:
        """A buffer of zeros, shape (blocks, rows, lanes)."""
        return aligned_zeros((self.blocks, self.rows, self.lanes), self.dtype)

    def put(self, buffer: Array, columns: Array) -> None:
        """Write ``columns``, shape (parameters, K), to a buffer; with shape (parameters, 1) the same column for all lanes."""
        parameters, K = columns.shape
        if K == 1:
            buffer[:, :parameters] = columns
            return
        full = np.zeros((parameters, self.blocks * self.lanes), dtype=self.dtype)
        full[:, :K] = columns
        shape = parameters, self.blocks, self.lanes
        buffer[:, :parameters] = full.reshape(shape).transpose(1, 0, 2)

    def get(self, buffer: Array, parameters: int) -> Array:
        """The numbers of the K lanes, a float64 array of shape (parameters, K)."""
        columns = buffer[:, :parameters].transpose(1, 0, 2).reshape(parameters, -1)
        return columns[:, : self.K].astype(np.float64)

    def share(self, worker: int, threads: int) -> tuple[int, int]:
        """The first block of a worker, and the one after its last."""
        return worker * self.blocks // threads, (worker + 1) * self.blocks // threads
