"""The order of minibatches. Every engine uses the same one, so that curves differ only by the learning rate.

Each random quantity has a stream of random numbers of its own, given by ``(seed, stream)``. In the stream of the orders,
every epoch has a range of its own, to which the generator can jump. So training can resume at any epoch.

**Block shuffle** is for examples that are read in blocks. With a block size of S rows, which is rounded up to whole
minibatches, block i holds the rows ``iS, …, min((i + 1)S, n) − 1``. An epoch visits the full blocks in a random order,
then the last block if it is shorter, and shuffles the rows inside each block. So a minibatch never crosses a block, and
only the last minibatch of an epoch can be short. With one block of all rows the order is the ordinary one. Each block
has its own range of random numbers inside that of the epoch, so the order inside a block does not depend on other
blocks.
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
"""Given a generator and n, returns a random permutation of ``0, …, n − 1``."""

STRETCH = 1 << 64
"""Random numbers of the orders' stream that belong to each epoch."""

_INITIAL_WEIGHTS, _ORDER = 0, 1
_INITIAL_SCALE = 0.01
_BLOCK_STRETCH = (
    1 << 40
)  # random numbers of each block; the first range of an epoch is for the order of blocks


class Sampling(enum.StrEnum):
    """How the examples of a minibatch are chosen."""

    SHUFFLE = "shuffle"
    """A new permutation for every epoch, cut into minibatches: each example is visited once."""
    INDEPENDENT = "independent"
    """Every minibatch is drawn independently, without replacement inside it, as the exact theory assumes."""


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Number of minibatches in an epoch, ``⌈n / B⌉``."""
    return -(-n // batch_size)


def rows_per_block(n: int, batch_size: int, block_size: int | None) -> int:
    """Rows of a full block: ``block_size`` rounded up to whole minibatches, but at most ``n``; ``n`` if it is None."""
    if block_size is None:
        return n
    return min(n, steps_per_epoch(block_size, batch_size) * batch_size)


def initial_weights(d: int, seed: int, outputs: int | None = None) -> Float[Array, "d ..."]:
    """Initial weights, ``w ~ N(0, 0.01²)`` in float64, the same for every learning rate of a seed.

    The shape is (d,), or (d, C) for a model of C ``outputs``. The initial bias is 0.
    """
    shape = d if outputs is None else (d, outputs)
    return np.random.Generator(_stream(seed, _INITIAL_WEIGHTS)).normal(0.0, _INITIAL_SCALE, shape)


class _Words(ISeedSequence):
    """A seed sequence that returns words which were computed before."""

    def __init__(self, words: Array) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        """The four words of 64 bits that PCG64 asks for."""
        return self.words


@lru_cache(maxsize=64)
def _words(seed: int, stream: int) -> _Words:
    """The words of ``SeedSequence([seed, stream])``, cached, since computing them takes longer than a small epoch."""
    return _Words(np.random.SeedSequence([seed, stream]).generate_state(4, np.uint64))


def _stream(seed: int, stream: int) -> np.random.PCG64:
    """``PCG64([seed, stream])``, faster."""
    words: Any = _words(seed, stream)  # NumPy's annotations do not allow it
    return np.random.PCG64(words)


class MinibatchOrders:
    """The orders in which the epochs of one seed visit the examples.

    Parameters
    ----------
    n, batch_size : int
        Number of examples and nominal batch size ``B``, ``1 ≤ B ≤ n``.
    seed : int
        Seed of the random numbers.
    sampling : Sampling
        With ``shuffle`` an epoch has ``n`` visits and the last minibatch may be short. With ``independent`` it has
        ``⌈n / B⌉ · B`` visits and every minibatch is full.
    block_size : int, optional
        Rows of a block, for block shuffle; only with ``shuffle``.
    permute : callable, optional
        A faster replacement of `numpy.random.Generator.permutation`, called with a generator and ``n``. It must
        return the same permutation.

    Attributes
    ----------
    n, rows, count : int
        Number of rows, rows of a full block, and number of blocks.
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
        """Indices of the examples in the order in which an epoch, counted from 0, visits them.

        Minibatch ``t`` is ``order[t * batch_size : (t + 1) * batch_size]``.
        """
        parts = [block * self.rows + order for block, order in self.blocks(epoch)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def blocks(self, epoch: int) -> Iterator[tuple[int, Int[Array, " visits"]]]:
        """Yield each block in the order of the epoch: its number, and the order of its rows, counted from its first."""
        for block in self.sequence(epoch).tolist():
            yield block, self.inside(epoch, block)

    def sequence(self, epoch: int) -> Int[Array, " blocks"]:
        """Numbers of the blocks in the order in which an epoch visits them."""
        whole = self.n // self.rows
        if self.count == 1:
            return np.zeros(1, dtype=np.int64)
        short = np.arange(whole, self.count)
        return np.concatenate([self.generator(epoch, 0).permutation(whole), short])

    def prepare(self, epoch: int) -> None:
        """Compute the order of the next epoch ahead, if it is one permutation."""
        if self.permutes:
            self._ahead = epoch, self.inside(epoch, 0)

    def inside(self, epoch: int, block: int) -> Int[Array, " visits"]:
        """The order of the rows of one block, counted from its first."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == epoch:
            return ahead[1]
        rng = self.generator(epoch, 0 if self.count == 1 else 1 + block)
        if self._sampling is Sampling.SHUFFLE:
            return self._permute(rng, min(self.rows, self.n - block * self.rows))
        steps = steps_per_epoch(self.n, self._batch_size)
        return _independent_batches(rng, steps, self._batch_size, self.n).ravel()

    def generator(self, epoch: int, place: int) -> np.random.Generator:
        """A generator at the start of one range of an epoch: 0 for the order of blocks, 1 + i for block i.

        Only the generator returned last can be used.
        """
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
    """Indices of the examples in the order in which one epoch visits them.

    The same arguments always give the same order.

    Parameters
    ----------
    n, batch_size : int
        Number of examples and nominal batch size.
    seed : int
        Seed of the random numbers.
    epoch : int
        Number of the epoch, from 0.
    sampling : Sampling
        ``shuffle``: a permutation of the examples. ``independent``: minibatches drawn independently.
    block_size : int, optional
        Rows of a block, for block shuffle.

    Returns
    -------
    int array, shape (visits,)
        Minibatch t is ``order[t * batch_size : (t + 1) * batch_size]``.
    """
    orders = MinibatchOrders(n, batch_size, seed=seed, sampling=sampling, block_size=block_size)
    return orders.epoch(epoch)


def _independent_batches(
    rng: np.random.Generator, steps: int, batch_size: int, n: int
) -> Int[Array, "steps batch"]:
    """``steps`` minibatches of ``batch_size`` distinct examples, each uniform and independent of the others."""
    if batch_size**2 > 2 * n:
        # Repeated examples are likely, and there are few minibatches: draw them one at a time.
        rows = [rng.choice(n, batch_size, replace=False) for _ in range(steps)]
        return np.array(rows, dtype=np.int64)
    batches = rng.integers(n, size=(steps, batch_size))
    again = np.arange(steps)
    while again.size:
        # Rejection sampling: redraw minibatches that hold an example twice.
        ordered = np.sort(batches[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        batches[again] = rng.integers(n, size=(again.size, batch_size))
    return batches
