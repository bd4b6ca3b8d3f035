"""The limit of a typical run, and how many runs have diverged after some epochs.

The average loss can blow up while nearly every run converges: a mean is ruled by its largest members.
What one run does is told by the Lyapunov exponent Λ(η) of `learnrate.theory.growth`: it shrinks where
``Λ < 0`` and grows where ``Λ > 0``. The typical-run limit is where Λ crosses 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.growth import SHORT, Growth, measure_growth
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind, Quantity

__all__ = ["Tail", "diverged_share", "typical_limit"]

_RATES = 12
_SPAN = 2.5  # the first grid of rates reaches up to this multiple of where to look first
_TRIES = 24
# How long a climb may take, in multiples of what it most likely takes for a plain walk.
_CLIMBS = np.geomspace(0.1, 10, 101)


def typical_limit(
    modes: Modes,
    batch_size: int,
    *,
    near: float,
    shuffle: bool = False,
    momentum: float = 0.0,
    steps: int = 256,
    runs: int | None = None,
    seed: int = 0,
) -> Quantity:
    """The η where ``Λ(η)`` crosses zero: half of all long runs diverge there, below it few, above most.

    Measured with common random numbers on a grid of rates, first a wide one with few steps to find
    the crossing, then a narrow one. The standard error is Λ's, divided by the slope ``dΛ/dη``.

    Parameters
    ----------
    near : float
        Where to look first: the mean-square limit. Independent batches never cross below it, for
        ``E log‖·‖ ≤ ½ log E‖·‖²`` (Jensen).
    modes, batch_size, shuffle, momentum, steps, runs, seed
        As for `learnrate.theory.growth.measure_growth`.

    Source: Furstenberg and Kesten, *Products of random matrices* (1960); for SGD Ziyin et al.,
    arXiv 2303.13093.
    """
    if batch_size >= modes.n:  # more only of a sample, where little noise is left
        limit = 2 * (1 + momentum) / modes.spectrum.largest
        return Quantity(limit, Kind.EXACT, note="all examples: every run is the same")

    def grows_in(low: float, high: float, shuffle: bool, steps: int) -> tuple[Growth, int]:
        """Growth on a grid, and how many of its rates come before those that surely grow."""
        growth = measure_growth(
            modes,
            batch_size,
            np.geomspace(low, high, _RATES),
            shuffle=shuffle,
            momentum=momentum,
            steps=steps,
            runs=runs,
            seed=seed,
        )
        grows = growth.mean > 2 * growth.standard_error
        return growth, int(np.argmax(grows)) if grows.any() else _RATES

    low, high, quick = near / 1.02, near * _SPAN, True
    for _ in range(_TRIES):
        growth, k = grows_in(low, high, shuffle and not quick, steps // 4 if quick else steps)
        if 0 < k < _RATES and not quick:
            limit, error = _crossing(growth, k)
            note = "simulated runs that share their random numbers among all rates"
            return Quantity(limit, Kind.ESTIMATE, error, note)
        if 0 < k < _RATES:
            low, high, quick = growth.lrs[max(k - 3, 0)], growth.lrs[min(k + 1, _RATES - 1)], False
        else:  # look further down or up, with some overlap
            ratio = 0.8 * high / low if high / low > 1.25 else high / low
            low, high = (low / ratio, high / ratio) if k == 0 else (low * ratio, high * ratio)
    return Quantity.unavailable(
        "the growth of a run does not change sign over many decades of rates"
    )


def _crossing(growth: Growth, k: int) -> tuple[float, float]:
    """Root of Λ between the rates k−1 and k, and its standard error, by a straight line in log η."""
    while k > 1 and growth.mean[k - 1] > 0:  # growing already, but not significantly
        k -= 1
    x, value = np.log(growth.lrs), growth.mean
    below = min(value[k - 1], 0.0)
    slope = (value[k] - below) / (x[k] - x[k - 1])
    limit = math.exp(x[k - 1] - below / slope)
    return limit, limit * float(growth.standard_error[k - 1 : k + 1].max() / slope)


@dataclass(frozen=True)
class Tail:
    """How often label noise and growth carry a run far up, long after the start: ``P(error > u) ≈ C u^{−κ}``.

    κ is where the q-th moment of the error neither grows nor shrinks. That is q = 2 at the mean-square limit
    and q → 0 at the typical-run limit; between them a straight line in log η is taken::

        κ(η) = 2 log(η_typical / η) / log(η_typical / η_limit)

    At the mean-square limit C is known from the floor, the mean of such a law, which grows there like
    ``E ≈ A / (η_limit − η)``. With ``E = ∫ P(error² > s) ds ≈ 2C/(κ − 2)`` it is
    ``C = A / (η_limit log(η_typical / η_limit))``, kept for other rates.

    Parameters
    ----------
    limit, typical_limit : float
        Mean-square and typical-run limit, the first below the second.
    near : float
        A rate a little below the mean-square limit.
    floor : float
        Excess loss on which the average settles at that rate.
    variance, local_variance : float
        ``σ²`` and ``τ²`` (see `learnrate.theory.growth.Growth`) at the typical-run limit, where growth is that
        of the fast directions.
    epoch : int
        Steps per epoch.

    Source: Kesten, *Random difference equations* (1973); Goldie, *Implicit renewal theory* (1991).
    """

    limit: float
    typical_limit: float
    near: float
    floor: float
    variance: float
    local_variance: float
    epoch: int

    @property
    def _width(self) -> float:
        return math.log(self.typical_limit / self.limit)

    def exponent(self, lr: float) -> float:
        """κ, for independent minibatches."""
        return 2 * math.log(self.typical_limit / lr) / self._width

    def depth(self, start: float) -> float:
        """``x = −½ log C``, with errors measured in those of a run's start: how far below it the wall is."""
        pole = self.floor * (self.limit - self.near)
        return 0.5 * math.log(max(start * self.limit * self._width / pole, 1.0))

    def climb_variance(self, drift: float, x: float) -> float:
        """Variance per step of a climb by x against a drift, over the most likely number of steps.

        That is the s with the least ``(x − Λs)²/v(s)``, for the variance v of the log growth over the last s
        steps before the end of an epoch. What shuffled epochs undo is a Brownian bridge over each epoch, beside
        a walk of variance σ²; τ² is what both have over `learnrate.theory.growth.SHORT` steps. The variance
        returned gives a plain walk, where the least is ``−4Λx/v`` per step, the same chance.
        """
        undone = self.local_variance - self.variance
        if undone <= 0 or self.epoch <= SHORT or x <= 0:
            return self.local_variance
        bridge = undone / (1 - SHORT / self.epoch)
        s = x / -drift * _CLIMBS
        within = s % self.epoch
        over = self.variance * s + bridge * within * (1 - within / self.epoch)
        over = np.minimum(over, self.local_variance * s)
        return float(-4 * drift * x / np.min((x - drift * s) ** 2 / over))


def diverged_share(
    growth: Growth,
    *,
    steps: int,
    start_loss: float,
    noise_loss: Float[Array, " K"],
    tail: Tail | None = None,
    start_excess: float = 0.0,
) -> Float[Array, " K"]:
    """Estimated share of runs whose loss, after some steps, is above where it started.

    The log of a run's error wanders like Brownian motion with drift Λ and variance σ² per step, and label
    noise keeps it from falling below a level ``x = ½ log(start / noise loss)`` under the start: a
    reflecting wall. The probability to be above the start at step T is then::

        1 − Φ(−ΛT/σ√T) + e^{2Λx/τ²} Φ((−2x − ΛT)/τ√T)

    The last term counts short excursions from the wall, so it takes the variance τ² over short times
    (with independent minibatches τ = σ).

    Where slow directions set Λ and σ², fast ones still shoot up now and then, which σ² does not show. The
    tail of the errors does: with its κ, x and τ² and with ``Λ = −κτ²/2``, so that a long run has this tail,
    the same formula gives a second share; the variance in it is that of the most likely climb from the wall to
    the start. Each share misses what the other sees; the larger is returned.

    Parameters
    ----------
    growth : Growth
        Λ, σ² and τ² for each rate.
    steps : int
        T.
    start_loss : float
        Loss at the start.
    noise_loss : array, shape (K,)
        Loss that label noise makes in one step from the optimum; 0 where labels fit exactly.
    tail : Tail, optional
        The tail of a run's errors, where it is known.
    start_excess : float
        Loss at the start above that at the optimum; used with the tail.

    Source: Harrison, *Brownian Motion and Stochastic Flow Systems* (1985), on reflected motion.
    """
    if steps == 0 or start_loss <= 0:
        return np.zeros(growth.lrs.size)
    shares = []
    for k, (drift, variance, local, noise) in enumerate(
        zip(growth.mean, growth.variance, growth.local_variance, noise_loss, strict=True)
    ):
        if not variance > 0:  # every run is the same
            shares.append(float(drift > 0))
            continue
        x = 0.5 * math.log(max(start_loss / noise, 1.0)) if noise > 0 else math.inf
        share = _above(drift, variance, local, steps, x)
        if tail is not None and (kappa := tail.exponent(float(growth.lrs[k]))) > 0:
            x = tail.depth(start_excess)
            drift = -0.5 * kappa * tail.local_variance
            spread = tail.climb_variance(drift, x)
            share = max(share, _above(drift, spread, spread, steps, x))
        shares.append(share)
    return np.array(shares)


def _above(drift: float, variance: float, local: float, steps: int, x: float) -> float:
    """Probability that the walk is above its start, x above the wall."""
    share = 0.5 * math.erfc(-drift * steps / math.sqrt(2 * variance * steps))
    if x < math.inf:
        share += _reflected(drift, local, steps, x)
    return min(share, 1.0)


def _reflected(drift: float, variance: float, steps: int, x: float) -> float:
    """``e^{2Λx/σ²} Φ((−2x − ΛT)/σ√T)`` without overflow."""
    w = (2 * x + drift * steps) / math.sqrt(2 * variance * steps)
    if w < 0:  # then the drift is negative and so is the exponent
        return math.exp(2 * drift * x / variance) * 0.5 * math.erfc(w)
    # e^{w²} erfc(w), which stays of order one, times what is left of the exponent.
    scaled = math.exp(w * w) * math.erfc(w) if w < 20 else 1 / (w * math.sqrt(math.pi))
    rest = -(2 * x**2 / steps + 0.5 * drift**2 * steps) / variance
    return 0.5 * math.exp(rest) * scaled
