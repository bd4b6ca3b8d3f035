"""Which rows are held out for validation."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np

from learnrate._shapes import Array, Bool, Int
from learnrate.errors import OptionError, option

__all__ = ["Split", "held_out_count", "split_rows"]

_STREAM = 3  # of random numbers; 0 and 1 are those of learnrate.data.order, 2 that of learnrate.data.synthetic
_IN_MEMORY = 1 << 24  # rows: a permutation of them is 64 MiB
_CHUNK = 1 << 20


class Split:
    """Holds out ``round(fraction · n)`` of n rows, drawn at random by the seed.

    Of more than 2²⁴ rows, the same fraction is held out of each 2²⁰ consecutive rows, drawn when they are needed. With
    the class codes of the rows, the same fraction is held out of each class, but at least one row and not all.

    Parameters
    ----------
    n : int
        Number of rows.
    fraction : float
        0 ≤ fraction < 1.
    seed : int
        At least 0.
    codes : int array, shape (n,), optional
        Class codes.

    Raises
    ------
    OptionError
        If the fraction or the seed cannot be used, or no row would be held out or left to train on.
    """

    def __init__(
        self, n: int, fraction: Any, seed: Any, codes: Int[Array, " n"] | None = None
    ) -> None:
        self.held_out = held_out_count(n, fraction, seed)
        self.n, self.seed = n, int(seed)
        self._mask: Array | None = None
        if codes is not None:
            self._mask = np.zeros(n, dtype=np.bool_)
            rng = np.random.default_rng([self.seed, _STREAM])
            for code in range(int(codes.max()) + 1):
                rows = rng.permutation(np.flatnonzero(codes == code))
                share = round(float(fraction) * len(rows))
                self._mask[rows[: min(max(share, 1), len(rows) - 1)]] = True
            self.held_out = int(self._mask.sum())
            return
        if n <= _IN_MEMORY:
            order = np.arange(n, dtype=np.int32)
            np.random.default_rng([self.seed, _STREAM]).shuffle(order)
            self._mask = np.zeros(n, dtype=np.bool_)
            self._mask[order[: self.held_out]] = True
            return
        # Differences of rounded totals, so that they add up.
        ends = [*range(_CHUNK, n, _CHUNK), n]
        totals = [self.held_out * end // n for end in ends]
        self._shares = [b - a for a, b in itertools.pairwise([0, *totals])]
        self._chunk = lru_cache(maxsize=2)(self._draw)

    def _draw(self, chunk: int) -> Bool[Array, " rows"]:
        size = min(_CHUNK, self.n - chunk * _CHUNK)
        mask = np.zeros(size, dtype=np.bool_)
        rng = np.random.default_rng([self.seed, _STREAM, 1, chunk])
        mask[rng.permutation(size)[: self._shares[chunk]]] = True
        return mask

    def rows(self, first: int, count: int) -> Bool[Array, " rows"]:
        """Whether each of the rows ``first, …, first + count − 1`` is held out."""
        if self._mask is not None:
            return self._mask[first : first + count]
        stop = first + count
        chunks = range(first // _CHUNK, max(first // _CHUNK, (stop - 1) // _CHUNK) + 1)
        masks = [
            self._chunk(chunk)[max(0, first - chunk * _CHUNK) : max(0, stop - chunk * _CHUNK)]
            for chunk in chunks
        ]
        return np.concatenate(masks)

    def parts(self) -> tuple[Int[Array, " train"], Int[Array, " val"]]:
        """Indices of the training rows and of the held-out rows, each increasing."""
        held_out = self.rows(0, self.n)
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def split_rows(
    n: int, fraction: Any, seed: Any, codes: Int[Array, " n"] | None = None
) -> tuple[Int[Array, " train"], Int[Array, " val"]] | None:
    """Indices of the training rows and of the rows that `Split` holds out, each increasing; None if the fraction is 0."""
    if not held_out_count(n, fraction, seed):
        return None
    return Split(n, fraction, seed, codes).parts()


def held_out_count(n: int, fraction: Any, seed: Any) -> int:
    """How many of ``n`` rows are held out: ``round(fraction · n)``.

    Raises
    ------
    OptionError
        If the fraction or the seed cannot be used, or no row would be held out or left to train on.
    """
    if not (isinstance(fraction, float | int | np.number) and 0 <= fraction < 1):
        raise OptionError(
            f"The held-out fraction ({option('val')}) must be at least 0 and below 1. "
            f"Got {fraction!r} instead."
        )
    if fraction == 0:
        return 0
    held_out = round(float(fraction) * n)
    if not 1 <= held_out < n:
        raise OptionError(
            f"The held-out fraction ({option('val')}) must leave at least 1 row to hold out and 1 to train on. "
            f"Got {fraction:g} of {n:,} rows instead, which holds out {held_out:,}; choose a "
            "fraction nearer to a half."
        )
    if not (isinstance(seed, int | np.integer) and seed >= 0):
        raise OptionError(f"seed must be a whole number ≥ 0. Got {seed!r} instead.")
    return held_out
