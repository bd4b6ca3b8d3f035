"""Which rows of a stream are held out for validation."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np

from learnrate._shapes import Array, Bool
from learnrate.data.prepared import SPLIT_STREAM, held_out_count

__all__ = ["Split"]

_IN_MEMORY = 1 << 24  # rows: a permutation of them is 64 MiB
_CHUNK = 1 << 20


class Split:
    """``round(fraction · n)`` of n rows, drawn by the seed.

    Of up to 16,777,216 rows they are those of `learnrate.data.prepared.split_rows`. Of more, each stretch of
    2²⁰ rows holds out its share of its rows, drawn when they are asked for.

    Raises
    ------
    OptionError
        As `split_rows`.
    """

    def __init__(self, n: int, fraction: Any, seed: Any) -> None:
        self.n, self.seed = n, int(seed)
        self.held_out = held_out_count(n, fraction, seed)
        self._mask: Array | None = None
        if n <= _IN_MEMORY:
            order = np.arange(n, dtype=np.int32)
            np.random.default_rng([self.seed, SPLIT_STREAM]).shuffle(order)
            self._mask = np.zeros(n, dtype=np.bool_)
            self._mask[order[: self.held_out]] = True
            return
        # Their rounded running total, so that they add up.
        ends = [*range(_CHUNK, n, _CHUNK), n]
        totals = [self.held_out * end // n for end in ends]
        self._shares = [b - a for a, b in itertools.pairwise([0, *totals])]
        self._chunk = lru_cache(maxsize=2)(self._draw)

    def _draw(self, chunk: int) -> Bool[Array, " rows"]:
        size = min(_CHUNK, self.n - chunk * _CHUNK)
        mask = np.zeros(size, dtype=np.bool_)
        rng = np.random.default_rng([self.seed, SPLIT_STREAM, 1, chunk])
        mask[rng.permutation(size)[: self._shares[chunk]]] = True
        return mask

    def rows(self, first: int, count: int) -> Bool[Array, " rows"]:
        """Whether each of these rows is held out."""
        if self._mask is not None:
            return self._mask[first : first + count]
        stop = first + count
        chunks = range(first // _CHUNK, max(first // _CHUNK, (stop - 1) // _CHUNK) + 1)
        parts = [
            self._chunk(chunk)[max(0, first - chunk * _CHUNK) : max(0, stop - chunk * _CHUNK)]
            for chunk in chunks
        ]
        return np.concatenate(parts)

    def training(self, first: int, count: int) -> Bool[Array, " rows"]:
        """Whether each of these rows is trained on."""
        return ~self.rows(first, count)
