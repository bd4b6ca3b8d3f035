"""The share of runs whose final loss is above their first, counted among simulated runs.

On real tables no formula was within a tenth of it, because it depends on label noise, rare rows and short horizons. So
SGD is simulated for many runs and rates at a time, each run with its own start and minibatches. Where that would take
long, no share is given.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.growth import independent_orders, shuffled_orders
from learnrate.theory.modes import INITIAL_SCALE, Modes

__all__ = ["RUNS", "share_above_start"]

RUNS = 100  # a share of one half is then known to 0.05
_WORK = 1.5e8  # nanoseconds that it may take, about
_STEP, _ENTRY = 2.5e4, 0.7  # nanoseconds for each step, and for each multiplication


def share_above_start(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    epochs: int,
    *,
    shuffle: bool,
    momentum: float = 0.0,
    seed: int = 0,
) -> Float[Array, " K"] | None:
    """For each rate, the share of 100 runs whose loss after so many epochs is above their loss at the start.

    The standard error of a share s is ``√(s(1 − s)/100)``. None if it would take too long, or if ``modes`` holds a
    sample of the examples only.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        Nominal B.
    lrs : array, shape (K,)
        Learning rates; all have the same starts and minibatches.
    epochs : int
        Number of epochs of ``⌈n/B⌉`` steps.
    shuffle : bool
        Whether minibatches are cut from a permutation or drawn afresh.
    momentum : float
        μ.
    seed : int
        The seed of starts and minibatches.
    """
    (n, D), K = modes.examples.shape, lrs.size
    steps = epochs * -(-n // batch_size)
    work = steps * (_STEP + 2 * _ENTRY * RUNS * batch_size * D * (K + 1))
    if modes.population != n or not epochs or work > _WORK:
        return None
    # The row of zeros fills up a short last minibatch.
    rows = np.vstack([modes.examples.whole(), np.zeros((1, D))])
    residuals = np.append(modes.residuals, 0.0)
    decay = np.append(np.full(D - 1, modes.weight_decay), 0.0)
    theta = np.zeros((RUNS, D))
    theta[:, :-1] = np.random.default_rng((seed, 2)).normal(0.0, INITIAL_SCALE, (RUNS, D - 1))
    delta = np.repeat((theta - modes.optimum)[:, None], K, axis=1)
    curvature, slope = modes.examples.gram() / n, decay * modes.optimum

    def excess() -> Float[Array, "runs K"]:
        """``L(θ) − L(θ*)``, without the penalty of weight decay."""
        loss: Array = 0.5 * np.sum((delta @ curvature) * delta, axis=2) - delta @ slope
        return loss

    rate, move, at_start = lrs[:, None], np.zeros_like(delta), excess()
    orders = (shuffled_orders if shuffle else independent_orders)(n, batch_size, RUNS, seed)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            order = next(orders)
            X = rows[order]
            errors = delta @ X.swapaxes(1, 2) - residuals[order][:, None, :]
            gradient = errors @ X / batch_size
            if modes.weight_decay:
                gradient += decay * (delta + modes.optimum)
            move = momentum * move + rate * gradient if momentum else rate * gradient
            delta = delta - move
        above = ~(excess() <= at_start)
    share: Array = above.mean(axis=0)
    return share
