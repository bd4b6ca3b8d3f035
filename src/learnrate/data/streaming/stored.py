"""Rows in ``.npy`` files, read in blocks by a thread of their own.

Blocks are read, not mapped: mapped pages would count as this process's memory, and a read can run while the
block before it is trained on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from learnrate._shapes import Array
from learnrate.data.rows import Block
from learnrate.errors import DataError

__all__ = ["NpyFile", "StoredRows"]


class NpyFile:
    """A ``.npy`` file of rows, in C order, of which some can be read.

    Raises
    ------
    DataError
        If the file is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                version = np.lib.format.read_magic(stream)
                if version != (1, 0):
                    raise ValueError(f"version {version}")
                self.shape, fortran, self.dtype = np.lib.format.read_array_header_1_0(stream)
                self._begin = stream.tell()
            self._row = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
            whole = self._begin + self.shape[0] * self._row
            if fortran or self.dtype.hasobject or path.stat().st_size != whole:
                raise ValueError("it is not whole")
            self._file = path.open("rb", buffering=0)
            self._lock = threading.Lock()
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> DataError:
        return DataError(
            f"The cache file {str(self.path)!r} must be as it was written. Got a damaged one "
            f"instead ({what}); remove its folder, and it is made again."
        )

    def read(self, first: int, into: Array) -> None:
        """Fill ``into`` with the rows from ``first`` on."""
        room = memoryview(into.data).cast("B") if into.size else memoryview(b"")
        at = self._begin + first * self._row
        while room:
            try:
                with self._lock:
                    self._file.seek(at)
                    count = self._file.readinto(room)
            except OSError as error:
                raise self._damaged(error.strerror or str(error)) from error
            if not count:
                raise self._damaged("it ends too early")
            room, at = room[count:], at + count

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class StoredRows:
    """`learnrate.data.rows.Rows` of ``X.npy`` and ``y.npy`` in a folder.

    While a block is worked on, the next one is read into a second buffer.

    Parameters
    ----------
    folder : Path
    prefix : str
        Of the names of the two files.
    """

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self._made_of = folder, prefix
        self._X, self._y = NpyFile(folder / f"{prefix}X.npy"), NpyFile(folder / f"{prefix}y.npy")
        self._free: list[Block] = []
        self._samples: dict[int, Block] = {}
        self._lock = threading.Lock()  # seeds may be trained in threads

    def __reduce__(self) -> tuple[type[StoredRows], tuple[Path, str]]:
        """Sent to another process, it opens the files there."""
        return StoredRows, self._made_of

    @property
    def n(self) -> int:
        """Number of examples."""
        return int(self._X.shape[0])

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self._X.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        return self._X.dtype

    def every(self, step: int) -> Block:
        """The rows ``0, step, 2 step, …``; kept, since every seed asks for the same."""
        if step not in self._samples:
            rows = range(0, self.n, step)
            sample = self._room(len(rows))
            for i, row in enumerate(rows):
                self._X.read(row, sample.X[i : i + 1])
                self._y.read(row, sample.y[i : i + 1])
            self._samples[step] = sample
        return self._samples[step]

    def blocks(self, rows: int, sequence: Iterable[int]) -> Iterator[Block]:
        """The blocks with these numbers, the next always being read ahead."""
        buffers: list[Block] = []
        ahead: Future[Block] | None = None
        reader = ThreadPoolExecutor(1, thread_name_prefix="learnrate-reader")
        try:
            for place, number in enumerate(sequence):
                if place < 2:
                    buffers.append(self._buffer(rows))
                # The block before the last one is done with: the caller has asked for another.
                coming = reader.submit(self._read, buffers[place % 2], rows, number)
                if ahead is not None:
                    yield ahead.result()
                ahead = coming
            if ahead is not None:
                yield ahead.result()
        finally:
            reader.shutdown(wait=True, cancel_futures=True)  # no buffer is given back half filled
            with self._lock:
                self._free.extend(buffers)

    def _room(self, rows: int) -> Block:
        return Block(np.empty((rows, self.d), self.dtype), np.empty(rows, self.dtype))

    def _buffer(self, rows: int) -> Block:
        """One that was used before, whose pages are there already, or a new one."""
        with self._lock:
            for place, block in enumerate(self._free):
                if len(block.y) == rows:
                    return self._free.pop(place)
        return self._room(rows)

    def _read(self, buffer: Block, rows: int, number: int) -> Block:
        count = min(rows, self.n - number * rows)
        block = Block(buffer.X[:count], buffer.y[:count])
        self._X.read(number * rows, block.X)
        self._y.read(number * rows, block.y)
        return block
