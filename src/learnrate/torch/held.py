"""Where lanes' states are held once they are no lane's own memory: in memory, or in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable

import numpy as np

from learnrate._shapes import Array
from learnrate.torch.states import Rows, copied, plain

__all__ = ["held"]

_ALIGNED = 64


def held(rows: Callable[[], Iterable[tuple[str, Rows]]], *, on_disk: bool) -> dict[str, Array]:
    """Copies of rows as arrays.

    Parameters
    ----------
    rows : callable
        Gives names, and the lanes' numbers of each.
    on_disk : bool
        Whether they lie in a temporary file, in the folder of Python's `tempfile`, instead of in memory. They are read from
        there when they are used, and what is written into them stays in memory. The file is gone when the last of them is.
        Where the disk is full, they are held in memory.
    """
    if on_disk:
        try:
            return _in_file(rows)
        except OSError:
            pass
    return {name: copied(of) for name, of in rows()}


def _in_file(rows: Callable[[], Iterable[tuple[str, Rows]]]) -> dict[str, Array]:
    places: dict[str, tuple[int, np.dtype[np.generic], tuple[int, ...]]] = {}
    with tempfile.TemporaryFile() as file:
        for name, of in rows():
            first = plain(of[0])
            places[name] = file.tell(), first.dtype, (len(of), *first.shape)
            for row in of:
                file.write(np.ascontiguousarray(plain(row)).data)
            file.write(bytes(-file.tell() % _ALIGNED))
        file.flush()
        whole = np.memmap(file, np.uint8, mode="c") if file.tell() else np.empty(0, np.uint8)
    bytes_of = np.asarray(whole)
    return {
        name: bytes_of[start : start + dtype.itemsize * int(np.prod(shape))]
        .view(dtype)
        .reshape(shape)
        for name, (start, dtype, shape) in places.items()
    }
