"""The minibatch order: one function that every engine calls, so that curves differ only by the rate.

Each random quantity of a run has a stream of its own, named by ``(seed, stream, epoch)``. A stream can
be opened at any epoch without replaying the ones before it, which is what lets a run resume.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["Sampling", "epoch_order", "initial_weights", "steps_per_epoch", "swap_in_order"]

_INITIAL_WEIGHTS, _ORDER = 0, 1
_INITIAL_SCALE = 0.01


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


def epoch_order(
    n: int,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    sampling: Sampling = Sampling.SHUFFLE,
    swap: Callable[[Any, Any], Any] | None = None,
) -> Int[Array, " visits"]:
    """Indices of the examples in the order in which one epoch visits them.

    Minibatch ``t`` is ``order[t * batch_size : (t + 1) * batch_size]``.

    Parameters
    ----------
    n, batch_size : int
        Number of examples and nominal minibatch size ``B``, ``1 ≤ B ≤ n``.
    seed, epoch : int
        The run and its epoch, counted from 0.
    sampling : Sampling
        With ``shuffle`` there are ``n`` visits and the last minibatch may be short. With
        ``independent`` there are ``⌈n / B⌉ · B`` visits and every minibatch is full.
    swap : callable, optional
        A compiled `swap_in_order`, for an engine that has one. It must give the same order.

    Returns
    -------
    int64 array
        For the same arguments always the same, on any machine and with any engine.
    """
    rng = np.random.default_rng([seed, _ORDER, epoch])
    if sampling is Sampling.INDEPENDENT:
        return _independent_batches(rng, steps_per_epoch(n, batch_size), batch_size, n).ravel()
    # Lemire's multiply-shift turns 32 random bits into a number below i + 1; for the n that fit in
    # memory its bias is under n / 2³² and no draw is ever rejected, so one array holds them all.
    bits = rng.integers(0, 2**32, size=n, dtype=np.uint32)
    scaled = np.multiply(bits, np.arange(1, n + 1, dtype=np.uint64), dtype=np.uint64)
    targets = np.right_shift(scaled, np.uint64(32)).astype(np.int64)
    if swap is not None:
        order = np.arange(n)
        swap(order, targets)
        return order
    items = list(range(n))
    swap_in_order(items, targets.tolist())
    return np.array(items, dtype=np.int64)


def swap_in_order(items: Any, targets: Any) -> None:
    """Fisher–Yates: for ``i = n−1, …, 1`` swap ``items[i]`` with ``items[targets[i]]``, in place.

    Plain enough to run on lists (where Python is quickest) and to be compiled for arrays.

    Source: Knuth, *The Art of Computer Programming*, vol. 2, algorithm 3.4.2P.
    """
    for i in range(len(items) - 1, 0, -1):
        j = targets[i]
        items[i], items[j] = items[j], items[i]


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
    while (
        again.size
    ):  # redraw whole batches that hold an example twice: rejection keeps them uniform
        ordered = np.sort(batches[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        batches[again] = rng.integers(n, size=(again.size, batch_size))
    return batches
