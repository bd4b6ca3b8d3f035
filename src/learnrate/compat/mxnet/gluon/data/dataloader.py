"""Minibatches of a data set, in an order from learnrate's generator, which ``mx.random.seed`` seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.data.dataset import Dataset, stacked
from learnrate.errors import OptionError, not_one_of

__all__ = ["DataLoader"]

_LAST_BATCH = ("keep", "discard", "rollover")


class DataLoader:
    """Yields the minibatches of a data set; iterate over it once for each epoch.

    Parameters
    ----------
    dataset : Dataset
        Anything with ``len`` and ``[i]``.
    batch_size : int
        Batch size |B|.
    shuffle : bool
        Whether every epoch visits the examples in a new random order.
    sampler : iterable of int, optional
        The order, instead of ``shuffle``.
    last_batch : str
        What to do with a short last minibatch: ``"keep"`` it, ``"discard"`` it, or move its examples to the next epoch
        (``"rollover"``).
    batchify_fn : callable, optional
        Makes a minibatch from a list of examples.
    num_workers, pin_memory, prefetch, thread_pool, timeout
        Ignored: minibatches are made in this process.
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
            raise not_one_of("last_batch", last_batch, _LAST_BATCH)
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
        if self._batchify is None and isinstance(self._dataset, Dataset):
            return self._dataset.batch(rows)
        return (self._batchify or stacked)([self._dataset[i] for i in rows])

    def __len__(self) -> int:
        sampler: Any = self._sampler
        n = len(self._rest) + len(self._dataset if sampler is None else sampler)
        return -(-n // self._size) if self._last_batch == "keep" else n // self._size


__getattr__ = missing("gluon.data.dataloader", __all__)
