"""The minibatch order: one function that every engine calls, so that curves differ only by the rate.

Each random quantity of a run has a stream of its own, named by ``(seed, stream)``. Every epoch has its own
stretch of the orders' stream, which can be gone to without replaying the ones before it: that is what lets
a run resume.

**Block shuffle** is for examples that are read in blocks. With a block size of S rows, which is rounded up
to whole minibatches, block i holds the rows ``iS, …, min((i + 1)S, n) − 1``. An epoch visits the whole
blocks in an order drawn afresh, then the last block if it is short, and shuffles the rows inside each. So no
minibatch lies in two blocks, and at most one of an epoch is short: the last. Where one block holds all rows
the order is the plain one. Each block has its own stretch of the epoch's, so whoever reads some blocks
only can tell their orders without the others'.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from learnrate._shapes import Array, Float, Int

__all__ = [
    "STRETCH",
    "MinibatchOrders",
    "Permute",
    "Sampling",
    "epoch_order",
    "initial_weights",
    "rows_per_block",
    "steps_per_epoch",
]

Permute = Callable[[np.random.Generator, int], Array]

STRETCH = 1 << 64
"""Draws of the orders' stream that are kept for each epoch."""

_INITIAL_WEIGHTS, _ORDER = 0, 1
_INITIAL_SCALE = 0.01
_BLOCK_STRETCH = 1 << 40  # of them for each block: the first for the blocks' own order


class Sampling(enum.StrEnum):
    """How the examples of a minibatch are chosen."""

    SHUFFLE = "shuffle"
    """A fresh permutation every epoch, cut into minibatches: each example is visited once."""
    INDEPENDENT = "independent"
    """Every minibatch drawn afresh, without replacement inside it: what the exact theory describes."""


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Number of minibatches in one epoch, ``⌈n / B⌉``."""
    return -(-n // batch_size)


def rows_per_block(n: int, batch_size: int, block_size: int | None) -> int:
    """Rows of a whole block: ``block_size`` rounded up to whole minibatches, or all ``n`` rows."""
    if block_size is None:
        return n
    return min(n, steps_per_epoch(block_size, batch_size) * batch_size)


def initial_weights(d: int, seed: int) -> Float[Array, " d"]:
    """Start of a run: ``w ~ N(0, 0.01²)`` in float64, the same for every rate of a seed.

    The bias starts at 0.
    """
    return np.random.Generator(_stream(seed, _INITIAL_WEIGHTS)).normal(0.0, _INITIAL_SCALE, d)


class _Words(ISeedSequence):
    """The words that a seed sequence gives a bit generator, worked out before."""

    def __init__(self, words: Array) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        """What PCG64 asks for: four words of 64 bits."""
        return self.words


@lru_cache(maxsize=64)
def _words(seed: int, stream: int) -> _Words:
    """Of ``SeedSequence([seed, stream])``: mixing them takes longer than a small epoch."""
    return _Words(np.random.SeedSequence([seed, stream]).generate_state(4, np.uint64))


def _stream(seed: int, stream: int) -> np.random.PCG64:
    """The same as ``PCG64([seed, stream])``."""
    words: Any = _words(seed, stream)  # which NumPy takes, but its annotations don't know
    return np.random.PCG64(words)


class MinibatchOrders:
    """The minibatch orders of one run, epoch by epoch.

    Parameters
    ----------
    n, batch_size : int
        Number of examples and nominal minibatch size ``B``, ``1 ≤ B ≤ n``.
    seed : int
        The run.
    sampling : Sampling
        With ``shuffle`` there are ``n`` visits and the last minibatch may be short. With
        ``independent`` there are ``⌈n / B⌉ · B`` visits and every minibatch is full.
    block_size : int, optional
        Rows of a block, for block shuffle; ``shuffle`` only.
    permute : callable, optional
        What to call with a `numpy.random.Generator` and ``n`` instead of ``Generator.permutation``, for
        an engine that has a faster one. It must give the same permutation.

    Attributes
    ----------
    n, rows, count : int
        Rows in all and of a whole block, and how many blocks there are, the short one included.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        *,
        seed: int,
        sampling: Sampling = Sampling.SHUFFLE,
        block_size: int | None = None,
        permute: Permute = np.random.Generator.permutation,
    ) -> None:
        self.n, self._batch_size = n, batch_size
        self.rows = rows_per_block(n, batch_size, block_size)
        self.count = steps_per_epoch(n, self.rows)
        self._sampling, self._permute = sampling, permute
        self._bits = _stream(seed, _ORDER)
        self._begin = self._bits.state
        self._ahead: tuple[int, Array] | None = None

    @property
    def permutes(self) -> bool:
        """Whether an epoch is a permutation of all rows at once."""
        return self._sampling is Sampling.SHUFFLE and self.count == 1

    def epoch(self, epoch: int) -> Int[Array, " visits"]:
        """Indices of the examples in the order in which one epoch, counted from 0, visits them.

        Minibatch ``t`` is ``order[t * batch_size : (t + 1) * batch_size]``.
        """
        parts = [block * self.rows + order for block, order in self.blocks(epoch)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def blocks(self, epoch: int) -> Iterator[tuple[int, Int[Array, " visits"]]]:
        """The blocks in the order of the epoch: number, and order of the rows counted from its first."""
        for block in self.sequence(epoch).tolist():
            yield block, self.inside(epoch, block)

    def sequence(self, epoch: int) -> Int[Array, " blocks"]:
        """Numbers of the blocks in the order in which one epoch visits them."""
        whole = self.n // self.rows
        if self.count == 1:
            return np.zeros(1, dtype=np.int64)
        short = np.arange(whole, self.count)
        return np.concatenate([self.generator(epoch, 0).permutation(whole), short])

    def prepare(self, epoch: int) -> None:
        """Make the order of an epoch that will be asked for next, where it is one permutation."""
        if self.permutes:
            self._ahead = epoch, self.inside(epoch, 0)

    def inside(self, epoch: int, block: int) -> Int[Array, " visits"]:
        """Order of one block's rows, counted from its first."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == epoch:
            return ahead[1]
        rng = self.generator(epoch, 0 if self.count == 1 else 1 + block)
        if self._sampling is Sampling.SHUFFLE:
            return self._permute(rng, min(self.rows, self.n - block * self.rows))
        steps = steps_per_epoch(self.n, self._batch_size)
        return _independent_batches(rng, steps, self._batch_size, self.n).ravel()

    def generator(self, epoch: int, place: int) -> np.random.Generator:
        """At the start of one stretch: a block's, or with 0 the epoch's own. The latest one serves at a time."""
        self._bits.state = self._begin
        self._bits.advance(epoch * STRETCH + place * _BLOCK_STRETCH)
        return np.random.Generator(self._bits)


def epoch_order(
    n: int,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    sampling: Sampling = Sampling.SHUFFLE,
    block_size: int | None = None,
) -> Int[Array, " visits"]:
    """The order of one epoch of `MinibatchOrders`: for the same arguments always the same."""
    orders = MinibatchOrders(n, batch_size, seed=seed, sampling=sampling, block_size=block_size)
    return orders.epoch(epoch)


def _independent_batches(
    rng: np.random.Generator, steps: int, batch_size: int, n: int
) -> Int[Array, "steps batch"]:
    """``steps`` draws of ``batch_size`` distinct examples, each draw uniform and independent."""
    if batch_size**2 > 2 * n:
        # Repeats inside a batch are likely, and there are few batches: draw them one at a time.
        rows = [rng.choice(n, batch_size, replace=False) for _ in range(steps)]
        return np.array(rows, dtype=np.int64)
    batches = rng.integers(n, size=(steps, batch_size))
    again = np.arange(steps)
    while again.size:
        # Redraw whole batches that hold an example twice: rejection keeps them uniform.
        ordered = np.sort(batches[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        batches[again] = rng.integers(n, size=(again.size, batch_size))
    return batches
