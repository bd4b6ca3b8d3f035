"""Examples, a minibatch at a time. The order comes from learnrate's own generator (``mx.random.seed``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from learnrate import nd
from learnrate._missing import missing
from learnrate.errors import DataError, OptionError
from learnrate.nd import NDArray

__all__ = ["ArrayDataset", "DataLoader", "Dataset"]

_LAST_BATCH = ("keep", "discard", "rollover")


class Dataset:
    """Examples by number: a subclass writes ``__getitem__(self, i)`` and ``__len__(self)``."""

    def __getitem__(self, i: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must have a method __getitem__(self, i).")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must have a method __len__(self).")


class ArrayDataset(Dataset):
    """Arrays of one length: example i is the tuple of their i-th elements.

    Parameters
    ----------
    *arrays : NDArray, NumPy array or sequence
        Such as features (n, d) and labels (n,).

    Raises
    ------
    DataError
        If the lengths differ.
    """

    def __init__(self, *arrays: Any) -> None:
        lengths = [len(array) for array in arrays]
        if not arrays or len(set(lengths)) > 1:
            raise DataError(
                f"ArrayDataset must be given arrays of one length. Got {lengths} instead."
            )
        self._arrays = [
            array.asnumpy() if isinstance(array, NDArray) and array.ndim == 1 else array
            for array in arrays
        ]

    def __getitem__(self, i: Any) -> Any:
        found = tuple(array[i] for array in self._arrays)
        return found if len(found) > 1 else found[0]

    def __len__(self) -> int:
        return len(self._arrays[0])

    def _batch(self, rows: Sequence[int]) -> Any:
        """The examples of a minibatch: for whole arrays much quicker than one by one."""
        if not all(isinstance(array, NDArray | np.ndarray) for array in self._arrays):
            return _stacked([self[i] for i in rows])
        indices = nd.array(rows, dtype="int64")
        found = [
            array.take(indices)
            if isinstance(array, NDArray)
            else nd.array(array[rows], dtype=array.dtype)
            for array in self._arrays
        ]
        return found if len(found) > 1 else found[0]


def _stacked(examples: list[Any]) -> Any:
    """Examples as one array; of tuples, one array for each place."""
    first = examples[0]
    if isinstance(first, NDArray):
        return nd.stack(*examples)
    if isinstance(first, tuple):
        return [_stacked(list(column)) for column in zip(*examples, strict=True)]
    values = np.asarray(examples)
    return nd.array(values, dtype=values.dtype)


class DataLoader:
    """Minibatches of a dataset: iterate over it once per epoch.

    Parameters
    ----------
    dataset : Dataset
        Anything with ``len`` and ``[i]``.
    batch_size : int
        |B|.
    shuffle : bool
        Whether every epoch visits the examples in a new random order.
    sampler : iterable of int, optional
        The order, instead of ``shuffle``.
    last_batch : str
        A short last minibatch is kept (``"keep"``), left out (``"discard"``) or put before the next
        epoch (``"rollover"``).
    batchify_fn : callable, optional
        Makes a minibatch of a list of examples.
    num_workers, pin_memory, prefetch, thread_pool, timeout
        Taken for MXNet's sake; this process does the work.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = None,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        last_batch: str | None = None,
        batchify_fn: Callable[[list[Any]], Any] | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
        prefetch: int | None = None,
        thread_pool: bool = False,
        timeout: int = 120,
    ) -> None:
        del num_workers, pin_memory, prefetch, thread_pool, timeout
        last_batch = last_batch or "keep"
        if batch_size is None or batch_size < 1:
            raise OptionError(f"batch_size must be at least 1. Got {batch_size!r} instead.")
        if shuffle and sampler is not None:
            raise OptionError("shuffle must be left out where there is a sampler. Got both.")
        if last_batch not in _LAST_BATCH:
            raise OptionError(
                f"last_batch must be one of {', '.join(_LAST_BATCH)}. Got {last_batch!r} instead."
            )
        self._dataset, self._size, self._shuffle = dataset, batch_size, shuffle
        self._sampler, self._last_batch, self._batchify = sampler, last_batch, batchify_fn
        self._rest: list[int] = []

    def _order(self) -> list[int]:
        if self._sampler is not None:
            return list(self._sampler)
        order = list(range(len(self._dataset)))
        if self._shuffle and order:
            shuffled = nd.random.shuffle(nd.array(order, dtype="int64"))
            order = [int(i) for i in shuffled.asnumpy()]
        return order

    def __iter__(self) -> Iterator[Any]:
        order = self._rest + self._order()
        self._rest = []
        for start in range(0, len(order), self._size):
            rows = order[start : start + self._size]
            if len(rows) < self._size and self._last_batch != "keep":
                self._rest = rows if self._last_batch == "rollover" else []
                return
            yield self._made(rows)

    def _made(self, rows: list[int]) -> Any:
        if self._batchify is None and isinstance(self._dataset, ArrayDataset):
            return self._dataset._batch(rows)
        return (self._batchify or _stacked)([self._dataset[i] for i in rows])

    def __len__(self) -> int:
        sampler: Any = self._sampler
        n = len(self._rest) + len(self._dataset if sampler is None else sampler)
        return -(-n // self._size) if self._last_batch == "keep" else n // self._size


__getattr__ = missing("gluon.data", __all__)
