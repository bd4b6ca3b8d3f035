"""The limit of a typical run.

The average loss can blow up while nearly every run converges: a mean is ruled by its largest members.
What one run does is told by the Lyapunov exponent Λ(η) of `learnrate.theory.growth`: it shrinks where
``Λ < 0`` and grows where ``Λ > 0``. The typical-run limit is where Λ crosses 0.
"""

from __future__ import annotations

import math

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.growth import Growth, measure_growth, run_length, step_cost
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind, Quantity
from learnrate.theory.rare_rows import rare_rows

__all__ = ["typical_limit"]

_RATES = 12
_SPAN = 2.5  # the first grid of rates reaches up to this multiple of where to look first
_TRIES = 24
_FEW_RUNS, _LONGEST_STEP = (
    8,
    7e5,
)  # nanoseconds of a step of so many runs beyond which nothing is simulated
_FURTHER, _WIDENED = (
    1.15,
    2,
)  # where the lowest rate may grow already, so much further down, so often
_QUICK = 64  # steps of the first look
_AT_ONCE = (
    1.1  # so near the mean-square limit rare rows are looked for before anything is simulated
)
_LEAST_ERROR = 0.005  # of the limit: what a run of some hundred steps still remembers of its start
_MOMENTUM_ERROR = 0.03  # with momentum it remembers more
_SLOW_ERROR = 0.1  # where the slowest direction does not wear off at all within a run, …
_ILL_CONDITIONED = 1e8  # … and from here on nothing is said


def typical_limit(
    modes: Modes,
    batch_size: int,
    *,
    near: float,
    shuffle: bool = False,
    momentum: float = 0.0,
    steps: int | None = None,
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

    if modes.spectrum.condition_number > _ILL_CONDITIONED:
        return Quantity.unavailable(
            "some directions are too slow for a simulated run to show growth"
        )
    if steps is None and step_cost(modes, batch_size, _RATES, _FEW_RUNS) > _LONGEST_STEP:
        return Quantity.unavailable("such wide minibatches take too long to simulate")
    length = steps or run_length(modes, batch_size, _RATES, runs or 16)
    if not momentum and (seldom := rare_rows(modes, batch_size, near * _AT_ONCE, length)):
        return Quantity.unavailable(seldom)
    low, high, quick, widened = near / 1.02, near * _SPAN, True, 0
    for _ in range(_TRIES):
        growth, k = grows_in(low, high, shuffle and not quick, _QUICK if quick else length)
        if 0 < k < _RATES and not quick:
            if growth.mean[0] > -2 * growth.standard_error[0] and widened < _WIDENED:
                low, high, widened = low / _FURTHER, growth.lrs[min(k + 1, _RATES - 1)], widened + 1
                continue  # it may lie below
            limit, error = _crossing(growth, k)
            least = _LEAST_ERROR if not momentum else _MOMENTUM_ERROR
            left = math.exp(
                -0.5 * limit * modes.spectrum.smallest * length
            )  # of the slowest direction
            error = max(error, least * limit, _SLOW_ERROR * left * limit)
            seldom = rare_rows(modes, batch_size, limit - 2 * error, length)
            if seldom is not None and not momentum:
                return Quantity.unavailable(seldom)
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
    """Where Λ crosses zero at or before the rate k, and the standard error of that.

    The error is that of the crossing itself, with one run left out at a time (the jackknife): Λ's own error over its slope
    would take the slope for known. What the later half of the runs says otherwise is added: there the start is further off.
    And it is at least half as far as the rates that neither surely grow nor surely shrink. Source: Efron and Stein, *The jackknife estimate of variance* (1981).
    """
    x, value, runs = np.log(growth.lrs), growth.mean, growth.runs
    root, k = _root(x, value, k)
    limit, error = math.exp(root), 0.0
    if len(runs) > 1:
        others = (len(runs) * value - runs) / (len(runs) - 1)
        roots = np.array([_root(x, mean, k)[0] for mean in others])
        error = limit * math.sqrt((len(runs) - 1) * float(np.mean((roots - root) ** 2)))
    error = math.hypot(error, limit * (_root(x, growth.late, k)[0] - root))
    band = 2 * growth.standard_error  # rates at which neither growing nor shrinking is sure
    surely, perhaps = _root(x, value - band, k)[0], _first_root(x, value + band)
    return limit, max(error, 0.5 * limit * max(surely - root, root - perhaps))


def _first_root(x: Float[Array, " K"], value: Float[Array, " K"]) -> float:
    """The first zero of a function that is piecewise linear in x."""
    k = int(np.argmax(value > 0))
    return float(x[0]) if k == 0 else _root(x, value, k)[0]


def _root(x: Float[Array, " K"], value: Float[Array, " K"], k: int) -> tuple[float, int]:
    """Zero of a function that is piecewise linear in x, nearest to x_k, and the first point beyond it."""
    while k > 1 and value[k - 1] > 0:  # growing already, but not significantly
        k -= 1
    while k < len(x) - 1 and value[k] <= 0:
        k += 1
    below = min(float(value[k - 1]), 0.0)
    part = -below / max(float(value[k]) - below, -below) if below else 0.0
    return float(x[k - 1] + part * (x[k] - x[k - 1])), k
