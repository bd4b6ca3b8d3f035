"""The limit of a typical run.

The mean loss can grow without bound while nearly every run converges, because a few very large values decide a mean.
A single run shrinks if the Lyapunov exponent Λ(η) of `learnrate.theory.growth` is negative, and grows if it is positive.
The typical-run limit is the rate at which Λ crosses 0.
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
_SPAN = 2.5  # the first grid of rates ends at this multiple of the mean-square limit
_MAX_GRIDS = 24
_FEW_RUNS = 8
_LONGEST_STEP = 7e5  # nanoseconds of a step of 8 runs beyond which nothing is simulated
# A grid whose lowest rate may grow already is extended by this factor, so often
_LOWER, _MAX_LOWERED = 1.15, 2
_QUICK = 64  # steps of the runs of the first grid
# Multiple of the mean-square limit at which rare rows are looked for before a simulation
_NEAR = 1.1
_MIN_ERROR = 0.005  # relative error, because runs of some hundred steps still depend on their start
_MOMENTUM_ERROR = 0.03  # the same with momentum
# The same if the error along the slowest direction does not shrink at all within a run
_SLOW_ERROR = 0.1
_ILL_CONDITIONED = 1e8  # condition number from which on no limit is given


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
    """The η where ``Λ(η)`` crosses zero: at it half of all long runs diverge, below it few, above it most.

    Measured with common random numbers, first on a wide grid of rates with few steps to find the crossing, then on a
    narrow one. `_crossing` estimates the standard error.

    Parameters
    ----------
    near : float
        The mean-square limit, at which the search starts. With independent minibatches Λ does not cross zero below it,
        since ``E log‖·‖ ≤ ½ log E‖·‖²`` (Jensen).
    modes, batch_size, shuffle, momentum, steps, runs, seed
        As for `learnrate.theory.growth.measure_growth`.

    Returns
    -------
    Quantity
        An estimate, or not available, with the reason.

    Source: Furstenberg and Kesten, *Products of random matrices* (1960); for SGD Ziyin et al.,
    arXiv 2303.13093.
    """
    if batch_size >= modes.n:  # more than n only if the examples are a sample
        limit = 2 * (1 + momentum) / modes.spectrum.largest
        return Quantity(limit, Kind.EXACT, note="all examples: every run is the same")

    def grows_in(low: float, high: float, shuffle: bool, steps: int) -> tuple[Growth, int]:
        """Growth on a grid, and the number of rates below the first that grows significantly."""
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
    if not momentum and (seldom := rare_rows(modes, batch_size, near * _NEAR, length)):
        return Quantity.unavailable(seldom)
    low, high, quick, lowered = near / 1.02, near * _SPAN, True, 0
    for _ in range(_MAX_GRIDS):
        growth, k = grows_in(low, high, shuffle and not quick, _QUICK if quick else length)
        if 0 < k < _RATES and not quick:
            if growth.mean[0] > -2 * growth.standard_error[0] and lowered < _MAX_LOWERED:
                low, high, lowered = low / _LOWER, growth.lrs[min(k + 1, _RATES - 1)], lowered + 1
                continue  # the crossing may be below this grid
            limit, error = _crossing(growth, k)
            least = _MIN_ERROR if not momentum else _MOMENTUM_ERROR
            slowest = math.exp(-0.5 * limit * modes.spectrum.smallest * length)
            error = max(error, least * limit, _SLOW_ERROR * slowest * limit)
            seldom = rare_rows(modes, batch_size, limit - 2 * error, length)
            if seldom is not None and not momentum:
                return Quantity.unavailable(seldom)
            note = "simulated runs that share their random numbers among all rates"
            return Quantity(limit, Kind.ESTIMATE, error, note)
        if 0 < k < _RATES:
            low, high, quick = growth.lrs[max(k - 3, 0)], growth.lrs[min(k + 1, _RATES - 1)], False
        else:  # continue with lower or higher rates, with some overlap
            ratio = 0.8 * high / low if high / low > 1.25 else high / low
            low, high = (low / ratio, high / ratio) if k == 0 else (low * ratio, high * ratio)
    return Quantity.unavailable(
        "the growth of a run does not change sign over many decades of rates"
    )


def _crossing(growth: Growth, k: int) -> tuple[float, float]:
    """The rate at which Λ crosses zero, at or before rate k, and its standard error.

    The error is computed by leaving out one run at a time (the jackknife); Λ's own error divided by ``dΛ/dη`` would ignore
    the error of the derivative. The difference from the crossing in the second half of the runs, which depends less on the
    start, is added. The error is at least half the distance to the rates that grow or shrink significantly.

    Source: Efron and Stein, *The jackknife estimate of variance* (1981).
    """
    x, value, runs = np.log(growth.lrs), growth.mean, growth.runs
    root, k = _root(x, value, k)
    limit, error = math.exp(root), 0.0
    if len(runs) > 1:
        others = (len(runs) * value - runs) / (len(runs) - 1)
        roots = np.array([_root(x, mean, k)[0] for mean in others])
        error = limit * math.sqrt((len(runs) - 1) * float(np.mean((roots - root) ** 2)))
    error = math.hypot(error, limit * (_root(x, growth.late, k)[0] - root))
    band = 2 * growth.standard_error
    surely, perhaps = _root(x, value - band, k)[0], _first_root(x, value + band)
    return limit, max(error, 0.5 * limit * max(surely - root, root - perhaps))


def _first_root(x: Float[Array, " K"], value: Float[Array, " K"]) -> float:
    """The first zero of the function that is linear between the points (x, value)."""
    k = int(np.argmax(value > 0))
    return float(x[0]) if k == 0 else _root(x, value, k)[0]


def _root(x: Float[Array, " K"], value: Float[Array, " K"], k: int) -> tuple[float, int]:
    """The zero nearest to x_k of the function that is linear between the points, and the index of the next point."""
    while k > 1 and value[k - 1] > 0:  # grows, but not significantly
        k -= 1
    while k < len(x) - 1 and value[k] <= 0:
        k += 1
    below = min(float(value[k - 1]), 0.0)
    part = -below / max(float(value[k]) - below, -below) if below else 0.0
    return float(x[k - 1] + part * (x[k] - x[k - 1])), k
