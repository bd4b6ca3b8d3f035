"""The loss to be expected after each epoch, and its floor, with independently drawn minibatches.

The equations are those of `learnrate.theory.second_moments`; the expectation is over all draws.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.prediction import Prediction, finite_or_infinite
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

    Exact where following all of Σ takes about a second at most: always up to some twenty features, and
    further for few rates or few steps. Otherwise only the diagonal of Σ is followed, which neglects how
    correlations between directions feed back; that is an estimate, and exact for Gaussian features.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    lrs : array, shape (K,)
        Learning rates.
    epochs : int
        How far to follow.
    replacement : bool
        Whether one minibatch may hold an example twice. learnrate's samplings never do.
    weights : array, shape (d,), optional
        A known start ``w``. Without it the expectation is over ``w ~ N(0, 0.01²)`` too. ``b = 0``.
    coarse : bool
        Be content with a rougher estimate, for a hundredth of the time.

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
    """Where the expected loss settles, for each rate; infinite from the mean-square limit on.

    Exact or an estimate, or a ``coarse`` one, as for `independent_curve`.
    """
    p = batch_variance(modes.population, batch_size, replacement=replacement)
    moments = SecondMoments.of(modes, p, rates=lrs.size, settled=True, coarse=coarse)
    losses = modes.loss_at_optimum + np.array([moments.settled(lr) for lr in lrs])
    return Prediction(lrs, losses, moments.kind, moments.note)
