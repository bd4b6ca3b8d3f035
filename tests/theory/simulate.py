"""Plain simulation of many runs at once, apart from every engine: what the theory is measured against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from learnrate.data.order import Sampling, epoch_order, initial_weights

Array = npt.NDArray[Any]


def simulate(
    X: Array,
    y: Array,
    lrs: Array,
    batch_size: int,
    epochs: int,
    *,
    runs: int,
    sampling: str = "independent",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    real_order: bool = False,
    keep_from: int = 0,
    seed: int = 0,
) -> Array:
    """Losses at epoch ends, shape (K, runs, epochs + 1 − keep_from); all rates share random numbers.

    Infinity where a run overflowed.

    With ``real_order`` run r has the start and the minibatches of learnrate's seed r.
    """
    n, d = X.shape
    rows = np.column_stack([X, np.ones(n)])
    theta_star = np.linalg.lstsq(rows, y, rcond=None)[0]
    labels = y - rows @ theta_star  # train the distance to the optimum: no digits lost near it
    rng = np.random.default_rng(seed)
    theta = np.zeros((runs, lrs.size, d + 1))
    for run in range(runs):
        start = initial_weights(d, run) if real_order else rng.normal(0.0, 0.01, d)
        theta[run, :, :d] = start
    theta -= theta_star
    velocity = np.zeros_like(theta)
    decay = np.append(np.full(d, weight_decay), 0.0)
    batches = (
        _real(n, batch_size, runs, sampling)
        if real_order
        else _own(n, batch_size, runs, sampling, rng)
    )
    H = rows.T @ rows / n
    at_optimum = 0.5 * np.mean(labels**2)
    padded_rows = np.vstack([rows, np.zeros(d + 1)])
    padded_labels = np.append(labels, 0.0)
    losses = []
    with np.errstate(all="ignore"):
        for epoch in range(epochs + 1):
            if epoch:
                for J in next(batches):
                    x = padded_rows[J]
                    slope = (
                        (theta @ x.swapaxes(1, 2) - padded_labels[J][:, None, :]) @ x / batch_size
                    )
                    slope += decay * (theta + theta_star)
                    velocity = momentum * velocity + slope
                    theta -= lrs[:, None] * velocity
            if epoch >= keep_from:
                excess = np.einsum("rka,ab,rkb->kr", theta, H, theta)
                losses.append(at_optimum + 0.5 * np.maximum(excess, 0))
    every: Array = np.nan_to_num(np.stack(losses, axis=2), nan=np.inf, posinf=np.inf)
    return every


def _own(
    n: int, B: int, runs: int, sampling: str, rng: np.random.Generator
) -> Iterator[list[Array]]:
    """Minibatches of one epoch after the other; the index n fills up short ones."""
    steps = -(-n // B)
    while True:
        if sampling == "shuffle":
            order = np.full((runs, steps * B), n)
            order[:, :n] = rng.permuted(np.tile(np.arange(n), (runs, 1)), axis=1)
            yield list(order.reshape(runs, steps, B).swapaxes(0, 1))
        else:
            yield [_distinct(n, B, runs, rng) for _ in range(steps)]


def _distinct(n: int, B: int, runs: int, rng: np.random.Generator) -> Array:
    """B distinct indices for every run."""
    if n < B * B:
        return np.argsort(rng.random((runs, n)), axis=1)[:, :B]
    J = rng.integers(n, size=(runs, B))
    again = np.arange(runs)
    while again.size:
        ordered = np.sort(J[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        J[again] = rng.integers(n, size=(again.size, B))
    return J


def _real(n: int, B: int, runs: int, sampling: str) -> Iterator[list[Array]]:
    steps, epoch = -(-n // B), 0
    while True:
        order = np.full((runs, steps * B), n)
        for run in range(runs):
            visits = epoch_order(n, B, seed=run, epoch=epoch, sampling=Sampling(sampling))
            order[run, : visits.size] = visits
        yield list(order.reshape(runs, steps, B).swapaxes(0, 1))
        epoch += 1
