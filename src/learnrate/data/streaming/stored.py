"""Rows in ``.npy`` files, read in blocks on a thread of their own.

Blocks are read, not memory-mapped: mapped pages would count as memory of this process, and a block can be read while
the one before it is trained on.
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
    """A ``.npy`` file in C order, from which some rows can be read.

    Raises
    ------
    DataError
        If the file is damaged.
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
        unread = memoryview(into.data).cast("B") if into.size else memoryview(b"")
        at = self._begin + first * self._row
        while unread:
            try:
                with self._lock:
                    self._file.seek(at)
                    count = self._file.readinto(unread)
            except OSError as error:
                raise self._damaged(error.strerror or str(error)) from error
            if not count:
                raise self._damaged("it ends too early")
            unread, at = unread[count:], at + count

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class StoredRows:
    """Examples in the files ``X.npy`` and ``y.npy`` of a folder: a `learnrate.data.rows.Rows`.

    While a block is used, the next one is read into a second buffer.

    Parameters
    ----------
    folder : Path
        The folder.
    prefix : str
        Prefix of the two file names.
    """

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self._made_of = folder, prefix
        self._X, self._y = NpyFile(folder / f"{prefix}X.npy"), NpyFile(folder / f"{prefix}y.npy")
        self._free: list[Block] = []
        self._samples: dict[int, Block] = {}
        self._lock = threading.Lock()  # seeds may be trained in threads

    def __reduce__(self) -> tuple[type[StoredRows], tuple[Path, str]]:
        """Pickle the path only: another process opens the files itself."""
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
        """The rows ``0, step, 2 step, …``, as one block; cached, since every seed needs the same."""
        if step not in self._samples:
            rows = range(0, self.n, step)
            sample = self._empty_block(len(rows))
            for i, row in enumerate(rows):
                self._X.read(row, sample.X[i : i + 1])
                self._y.read(row, sample.y[i : i + 1])
            self._samples[step] = sample
        return self._samples[step]

    def blocks(self, rows: int, sequence: Iterable[int]) -> Iterator[Block]:
        """Yield the blocks with these numbers, reading the next one ahead. Block i begins at row ``i · rows``."""
        buffers: list[Block] = []
        ahead: Future[Block] | None = None
        reader = ThreadPoolExecutor(1, thread_name_prefix="learnrate-reader")
        try:
            for i, number in enumerate(sequence):
                if i < 2:
                    buffers.append(self._buffer(rows))
                # The caller no longer uses the block before the last: reuse its buffer.
                coming = reader.submit(self._read, buffers[i % 2], rows, number)
                if ahead is not None:
                    yield ahead.result()
                ahead = coming
            if ahead is not None:
                yield ahead.result()
        finally:
            reader.shutdown(wait=True, cancel_futures=True)  # before the buffers are reused
            with self._lock:
                self._free.extend(buffers)

    def _empty_block(self, rows: int) -> Block:
        return Block(np.empty((rows, self.d), self.dtype), np.empty(rows, self._y.dtype))

    def _buffer(self, rows: int) -> Block:
        """A buffer that was used before, whose memory pages exist already, or a new one."""
        with self._lock:
            for i, block in enumerate(self._free):
                if len(block.y) == rows:
                    return self._free.pop(i)
        return self._empty_block(rows)

    def _read(self, buffer: Block, rows: int, number: int) -> Block:
        count = min(rows, self.n - number * rows)
        block = Block(buffer.X[:count], buffer.y[:count])
        self._X.read(number * rows, block.X)
        self._y.read(number * rows, block.y)
        return block
