"""Data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from learnrate import nd
from learnrate._missing import missing
from learnrate.errors import DataError
from learnrate.nd import NDArray

__all__ = ["ArrayDataset", "Dataset"]


class Dataset:
    """Base class of data sets. A subclass defines ``__getitem__(self, i)`` and ``__len__(self)``."""

    def __getitem__(self, i: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must have a method __getitem__(self, i).")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must have a method __len__(self).")

    def transform(self, fn: Callable[..., Any], lazy: bool = True) -> Dataset:
        """Return a data set whose example i is ``fn(*example)``, or ``fn(example)`` if it is not a tuple.

        Parameters
        ----------
        fn : callable
            Computes the new example.
        lazy : bool
            Whether ``fn`` is called each time that an example is used; otherwise once for all examples now.
        """
        changed = _Transformed(self, fn, first=False)
        return changed if lazy else _Stored([changed[i] for i in range(len(self))])

    def transform_first(self, fn: Callable[[Any], Any], lazy: bool = True) -> Dataset:
        """Return a data set with ``fn`` applied to the first element of each example, such as the image.

        Parameters
        ----------
        fn : callable
            Computes the new first element.
        lazy : bool
            Whether ``fn`` is called each time that an example is used; otherwise once for all examples now.
        """
        changed = _Transformed(self, fn, first=True)
        return changed if lazy else _Stored([changed[i] for i in range(len(self))])

    def batch(self, rows: Sequence[int]) -> Any:
        """Return the examples of a minibatch, stacked into arrays."""
        return stacked([self[i] for i in rows])


class ArrayDataset(Dataset):
    """A data set of arrays of the same length: example i is the tuple of their i-th elements.

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

    def batch(self, rows: Sequence[int]) -> Any:
        """Return the examples of a minibatch; arrays are indexed once, which is fast."""
        if not all(isinstance(array, NDArray | np.ndarray) for array in self._arrays):
            return super().batch(rows)
        indices = nd.array(rows, dtype="int64")
        found = [
            array.take(indices)
            if isinstance(array, NDArray)
            else nd.array(array[rows], dtype=array.dtype)
            for array in self._arrays
        ]
        return found if len(found) > 1 else found[0]


class _Stored(Dataset):
    """A data set of the examples in a list."""

    def __init__(self, examples: list[Any]) -> None:
        self._examples = examples

    def __getitem__(self, i: Any) -> Any:
        return self._examples[i]

    def __len__(self) -> int:
        return len(self._examples)


class _Transformed(Dataset):
    """The examples of another data set with a function applied to them, or to their first elements."""

    def __init__(self, base: Dataset, fn: Callable[..., Any], first: bool) -> None:
        self._base, self._fn, self._first = base, fn, first

    def __getitem__(self, i: Any) -> Any:
        example = self._base[i]
        if not isinstance(example, tuple):
            return self._fn(example)
        return (self._fn(example[0]), *example[1:]) if self._first else self._fn(*example)

    def __len__(self) -> int:
        return len(self._base)

    def batch(self, rows: Sequence[int]) -> Any:
        """Return a minibatch; a transform with ``takes_batches`` is applied to it as a whole."""
        if not (self._first and getattr(self._fn, "takes_batches", False)):
            return super().batch(rows)
        found = self._base.batch(rows)
        return [self._fn(found[0]), *found[1:]] if isinstance(found, list) else self._fn(found)


def stacked(examples: list[Any]) -> Any:
    """Stack examples into one array; tuples into one array for each position."""
    first = examples[0]
    if isinstance(first, NDArray):
        return nd.stack(*examples)
    if isinstance(first, tuple):
        return [stacked(list(column)) for column in zip(*examples, strict=True)]
    values = np.asarray(examples)
    return nd.array(values, dtype=values.dtype)


__getattr__ = missing("gluon.data.dataset", __all__)
