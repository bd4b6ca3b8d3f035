"""The minibatch order: one function that every engine calls, so that curves differ only by the rate.

Each random quantity of a run has a stream of its own, named by ``(seed, stream)``. Every epoch has its own
stretch of the orders' stream, which can be gone to without replaying the ones before it: that is what lets
a run resume.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["MinibatchOrders", "Sampling", "epoch_order", "initial_weights", "steps_per_epoch"]

Permute = Callable[[np.random.Generator, int], Array]

_INITIAL_WEIGHTS, _ORDER = 0, 1
_INITIAL_SCALE = 0.01
_STRETCH = 1 << 64  # draws of the orders' stream kept for each epoch


class Sampling(enum.StrEnum):
    """How the examples of a minibatch are chosen."""

    SHUFFLE = "shuffle"
    """A fresh permutation every epoch, cut into minibatches: each example is visited once."""
    INDEPENDENT = "independent"
    """Every minibatch drawn afresh, without replacement inside it: what the exact theory describes."""


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Number of minibatches in one epoch, ``⌈n / B⌉``."""
    return -(-n // batch_size)


def initial_weights(d: int, seed: int) -> Float[Array, " d"]:
    """Start of a run: ``w ~ N(0, 0.01²)`` in float64, the same for every rate of a seed.

    The bias starts at 0.
    """
    return np.random.default_rng([seed, _INITIAL_WEIGHTS]).normal(0.0, _INITIAL_SCALE, d)


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
    permute : callable, optional
        What to call with a `numpy.random.Generator` and ``n`` instead of ``Generator.permutation``, for
        an engine that has a faster one. It must give the same permutation.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        *,
        seed: int,
        sampling: Sampling = Sampling.SHUFFLE,
        permute: Permute = np.random.Generator.permutation,
    ) -> None:
        self._n, self._batch_size = n, batch_size
        self._sampling, self._permute = sampling, permute
        self._bits = np.random.PCG64([seed, _ORDER])
        self._begin = self._bits.state

    def epoch(self, epoch: int) -> Int[Array, " visits"]:
        """Indices of the examples in the order in which one epoch, counted from 0, visits them.

        Minibatch ``t`` is ``order[t * batch_size : (t + 1) * batch_size]``.
        """
        self._bits.state = self._begin
        self._bits.advance(epoch * _STRETCH)
        rng = np.random.Generator(self._bits)
        if self._sampling is Sampling.SHUFFLE:
            return self._permute(rng, self._n)
        steps = steps_per_epoch(self._n, self._batch_size)
        return _independent_batches(rng, steps, self._batch_size, self._n).ravel()


def epoch_order(
    n: int, batch_size: int, *, seed: int, epoch: int, sampling: Sampling = Sampling.SHUFFLE
) -> Int[Array, " visits"]:
    """The order of one epoch of `MinibatchOrders`: for the same arguments always the same."""
    return MinibatchOrders(n, batch_size, seed=seed, sampling=sampling).epoch(epoch)


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
