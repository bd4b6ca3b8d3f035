"""The rate for a run that is longer than the sweep, for which the best rate is mostly smaller.

No law holds for every task. On small tasks (docs/suggestion-quality.md) the best estimate of the best rate at M times the
length of the sweep was ``η_0 · M^−0.32``, with the exponent of arXiv 2409.19913; exponents fitted to each task's own
curves were worse. The width of the interval comes from the differences between tasks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.report.curves import counted, format_rate
from learnrate.sweeps.suggestion import Suggestion
from learnrate.training.pruning import lowest_so_far

__all__ = ["COVERAGE", "Longer", "Swept", "best_rate", "longer_run", "on_the_way", "suggest_longer"]

COVERAGE = 0.75
"""The share of runs whose best rate was in the interval, on tasks that were not used to choose the constants here."""
_DRIFT = 0.32
_SPREAD, _SPREAD_BY_LENGTH = 0.47, 0.22
"""Standard deviation between tasks of the logarithm of the best rate: at M = 1, and for each unit of ln M."""
_WIDTH = 1.8
"""Standard deviations on either side."""
_MAX_FACTOR = 100
_MIN_RATES = 9
_MIN_STEPS = 20
_EARLIER = 3.0
"""The best rate at the end is compared with that at the sweep's length divided by this."""
_STILL_LEARNING = 0.25
"""Where the best rate gains more than this share in the last half of a sweep, the sweep was short for the model: on small
tasks the estimate lost most there."""


class Swept(NamedTuple):
    """The curves of a sweep: losses (S, K, points) at positions that are counted in ``unit``."""

    lrs: Float[Array, " K"]
    losses: Float[Array, "S K points"]
    positions: Int[Array, " points"]
    unit: str
    criterion: str

    @property
    def length(self) -> int:
        """Number of epochs or steps that were trained."""
        return int(self.positions[-1])


class Longer(NamedTuple):
    """A rate for a longer run, and the interval that contained the best rate in three of four test runs."""

    lr: float
    low: float
    high: float


def longer_run(best: float, M: float) -> Longer:
    """The rate for a run that is M times as long as the sweep.

    ``η = η_0 · M^−0.32``, and the interval is ``η · exp(±1.8 √(0.47² + (0.22 ln M)²))``.

    Parameters
    ----------
    best : float
        The best rate at the sweep's own length.
    M : float
        Length of the run divided by that of the sweep, at least 1.
    """
    lr = best * M**-_DRIFT
    wide = math.exp(_WIDTH * math.hypot(_SPREAD, _SPREAD_BY_LENGTH * math.log(M)))
    return Longer(lr, lr / wide, lr * wide)


def best_rate(lrs: Float[Array, " K"], losses: Float[Array, " K"]) -> float:
    """The minimum of the parabola in ``ln η`` through the lowest loss and its neighbours.

    Parameters
    ----------
    lrs, losses : arrays, shape (K,)
        In ascending order of the rates; losses that are not finite are ignored.
    """
    k = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
    if not 0 < k < len(lrs) - 1 or not np.isfinite(losses[k - 1 : k + 2]).all():
        return float(lrs[k])
    a, b, c = np.log(lrs[k - 1 : k + 2])
    y = losses[k - 1 : k + 2]
    left, right = (y[1] - y[0]) / (b - a), (y[2] - y[1]) / (c - b)
    if right <= left:
        return float(lrs[k])
    bottom = (a + b) / 2 - left * (c - a) / (2 * (right - left))
    return float(np.exp(np.clip(bottom, a, c)))


def on_the_way(
    sweep: Swept, shown: Float[Array, "S K points"]
) -> tuple[Float[Array, " P"], Float[Array, " P"], Int[Array, " P"]]:
    """How the best rate has moved: at 1/32, 1/16, …, 1/2 and the end of the run, as nearly as it was measured.

    Parameters
    ----------
    sweep : Swept
        Rates are compared by the lowest of these losses so far.
    shown : array, shape (S, K, points)
        The losses that a picture shows of the same rates.

    Returns
    -------
    rates, losses, places : arrays, shape (P,)
        The best rate, its loss in the picture (the mean over seeds, interpolated in ``ln η``), and the position.
    """
    order = np.argsort(sweep.lrs)
    lrs, mean = sweep.lrs[order], shown.mean(axis=0)[order]
    parts = sweep.length / 2.0 ** np.arange(6)
    apart = np.abs(np.log(sweep.positions[1:] / parts[:, None]))
    rates, losses, places = [], [], []
    for point in np.unique(1 + apart.argmin(axis=1)):
        lowest = lowest_so_far(sweep.losses[:, order, : point + 1])
        there = np.isfinite(mean[:, point])
        if np.isfinite(lowest).any() and there.any():
            rates.append(best_rate(lrs, lowest))
            losses.append(np.interp(np.log(rates[-1]), np.log(lrs[there]), mean[there, point]))
            places.append(sweep.positions[point])
    return np.array(rates), np.array(losses), np.array(places, dtype=np.int64)


def suggest_longer(sweep: Swept, horizon: int) -> Suggestion:
    """The rate for a run that is longer than the sweep, or the reason why there is none.

    Rates are compared by the lowest loss so far, because a long training keeps its best checkpoint. See `longer_run`.

    Parameters
    ----------
    sweep : Swept
        The curves of the sweep.
    horizon : int
        Length of the longer run, in epochs or steps.
    """
    M, order = horizon / sweep.length, np.argsort(sweep.lrs)
    sweep = sweep._replace(lrs=sweep.lrs[order], losses=sweep.losses[:, order])
    losses = lowest_so_far(sweep.losses)
    why_not = _why_not(sweep, horizon, losses)
    if why_not is not None:
        return Suggestion(None, why_not, horizon, None, sweep.criterion, unit=sweep.unit)
    best = best_rate(sweep.lrs, losses)
    found = longer_run(best, M)
    risk = _at_risk(sweep, losses, found, best)
    low, high = float(f"{found.low:.2g}"), float(f"{found.high:.2g}")
    reason = (
        f"For {counted(horizon, sweep.unit)}, {M:.3g} times the sweep: {_rounded(best)}, its best rate by the lowest "
        f"{sweep.criterion}, times {M:.3g}^−{_DRIFT:g}, because longer runs mostly want smaller rates. In "
        f"{100 * COVERAGE:.0f} % of our test runs the best rate lay in such an interval, here {format_rate(low)} to "
        f"{format_rate(high)}; over as wide a range the rates of this sweep lost up to {100 * risk:.2g} % of what the "
        "best one gained."
    )
    return Suggestion(
        float(f"{found.lr:.3g}"),
        reason + _cautions(sweep, losses, best),
        horizon,
        (low, high),
        sweep.criterion,
        unit=sweep.unit,
        coverage=COVERAGE,
        at_risk=risk,
    )


def _rounded(lr: float) -> str:
    return format_rate(float(f"{lr:.3g}"))


def _why_not(sweep: Swept, horizon: int, losses: Float[Array, " K"]) -> str | None:
    """A phrase with a full stop that says why there is no suggestion; None if there is one."""
    length = counted(sweep.length, sweep.unit)
    if horizon > _MAX_FACTOR * sweep.length:
        return (
            f"{counted(horizon, sweep.unit)} is more than {_MAX_FACTOR} times what was trained, {length}; train "
            f"{counted(-(-horizon // _MAX_FACTOR), sweep.unit)} or more."
        )
    if len(losses) < _MIN_RATES:
        return f"a longer run needs {_MIN_RATES} rates or more that were trained to the end. Got {len(losses)}."
    if sweep.unit == "step" and sweep.length < _MIN_STEPS:
        return f"a longer run needs {_MIN_STEPS} steps or more to go by, and {length} were trained."
    if not np.isfinite(losses).any():
        return "every rate diverged; try smaller ones."
    k = int(np.argmin(losses))
    if k in (0, len(losses) - 1):
        end, way = ("smallest", "smaller") if k == 0 else ("largest", "larger")
        return f"the best rate, {_rounded(sweep.lrs[k])}, is the {end} one tried; add {way} ones."
    return None


def _at_risk(sweep: Swept, losses: Float[Array, " K"], found: Longer, best: float) -> float:
    """The largest loss in the interval around ``best``, above the least loss, divided by the decrease from the start."""
    start = float(sweep.losses[:, :, 0].mean())
    least = float(losses.min())
    inside = (sweep.lrs >= best * found.low / found.lr) & (
        sweep.lrs <= best * found.high / found.lr
    )
    worst = float(np.where(np.isfinite(losses), losses, start)[inside].max(initial=least))
    return min(1.0, (worst - least) / (start - least)) if start > least else 0.0


def _cautions(sweep: Swept, losses: Float[Array, " K"], best: float) -> str:
    """Sentences about curves for which the estimate is less sure."""
    said = ""
    before = int(np.searchsorted(sweep.positions, sweep.length / _EARLIER))
    if 0 < before < len(sweep.positions) - 1:
        earlier = best_rate(sweep.lrs, lowest_so_far(sweep.losses[:, :, : before + 1]))
        if best > 1.3 * earlier:
            said += f" Within the sweep the best rate rose, from {_rounded(earlier)}: a larger one may be better."
    half = int(np.searchsorted(sweep.positions, sweep.length / 2))
    start, least = sweep.losses[:, :, 0].mean(), losses.min()
    gained = (lowest_so_far(sweep.losses[:, :, : half + 1]).min() - least) / (start - least)
    if gained > _STILL_LEARNING:
        said += (
            f" {100 * gained:.0f} % of what the best rate gained came in the last half of the sweep: it is short for this "
            "model, and a longer sweep would be surer."
        )
    curve = sweep.losses[:, int(np.argmin(losses))].mean(axis=0)
    if sweep.criterion == "held-out loss" and curve[-1] > 1.02 * curve.min():
        said += " The held-out loss has begun to rise: keep the best checkpoint of the longer run."
    return said
