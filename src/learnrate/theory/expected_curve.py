"""The expected loss after each epoch, and its floor, for minibatches that are drawn independently.

The expectation is over all draws. `learnrate.theory.second_moments` has the equations.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Prediction, finite_or_infinite
from learnrate.theory.second_moments import SecondMoments

__all__ = ["independent_curve", "independent_floor"]


def independent_curve(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    epochs: int,
    *,
    replacement: bool = False,
    weights: Float[Array, " d"] | None = None,
    coarse: bool = False,
) -> Prediction:
    """Expected loss before training and after each epoch of ``⌈n/B⌉`` independent minibatches.

    Exact where the recursion of the whole matrix Σ takes at most about a second: always up to some twenty features,
    and beyond for few rates or few steps. Otherwise only the diagonal of Σ is computed, which leaves out the effect of
    correlations between directions: an estimate, which is exact for Gaussian features.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    lrs : array, shape (K,)
        Learning rates.
    epochs : int
        How many epochs to predict.
    replacement : bool
        Whether an example may occur twice in a minibatch. In learnrate's own sampling it never does.
    weights : array, shape (d,), optional
        A known start ``w``. Without it the expectation is over ``w ~ N(0, 0.01²)`` too. ``b = 0``.
    coarse : bool
        Accept a rougher estimate, which takes a hundredth of the time.

    Returns
    -------
    Prediction
        ``losses`` of shape (K, epochs + 1).
    """
    p = batch_variance(modes.population, batch_size, replacement=replacement)
    steps = -(-modes.population // batch_size)
    moments = SecondMoments.of(modes, p, rates=lrs.size, steps=epochs * steps, coarse=coarse)
    excess = moments.follow(lrs, *modes.start(weights), steps, epochs)
    losses = finite_or_infinite(modes.loss_at_optimum + excess)
    return Prediction(lrs, losses, moments.kind, moments.note)


def independent_floor(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    *,
    replacement: bool = False,
    coarse: bool = False,
) -> Prediction:
    """The loss at which the expectation settles, for each rate; infinite from the mean-square limit on.

    Parameters, and when the result is exact, are those of `independent_curve`.
    """
    p = batch_variance(modes.population, batch_size, replacement=replacement)
    moments = SecondMoments.of(modes, p, rates=lrs.size, settled=True, coarse=coarse)
    losses = modes.loss_at_optimum + np.array([moments.settled(lr) for lr in lrs])
    return Prediction(lrs, losses, moments.kind, moments.note)
