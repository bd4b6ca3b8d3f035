"""The recommended learning rate, from measured losses and, if there is one, the prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.report.curves import counted, format_rate, mean_interval

__all__ = ["Suggestion", "suggest"]

_ALIKE = 0.05
"""With one seed, final losses within this share of the best count as equally good, since their noise is not known, …"""

_ALIKE_BY_THEORY = 0.25
"""… or within this share if expected losses are known, because the final loss of one run is mostly chance."""

_WIDEST = 0.3
"""A rate whose loss is above the best by more than this share is not as good, however much the seeds differ."""

_BLOWN = 1.05
"""A run has blown up if it ends above the highest start of all seeds times this."""

_WORTH = 1.5
"""A rate that is not safe is suggested only if all safe ones end at this many times its loss, or higher."""

_NOTHING = 1e-12
"""Losses below this share of the start are rounding, and count as equal."""


@dataclass(frozen=True)
class Suggestion:
    """The rate to use at this horizon, or the reason why there is none.

    Attributes
    ----------
    lr : float or None
        The suggested learning rate.
    reason : str
        One sentence.
    horizon : int
        Length of the run that it is for, in epochs or steps. For a longer run a smaller rate is better, mostly.
    interval : (float, float) or None
        The lowest and the highest measured rate that are as good within the noise.
    criterion : str
        The loss by which rates were compared.
    predicted_best : float or None
        The rate with the smallest expected training loss at this horizon, measured or not, by the theory.
    unit : str
        The unit of the horizon: ``"epoch"`` or ``"step"``.
    coverage : float or None
        For a run that is longer than the sweep: the share of tasks in which the best rate is in ``interval``.
    at_risk : float or None
        For such a run: the largest loss of a rate in the interval at the sweep's own length, minus the least loss,
        divided by the decrease from the start to the least loss.
    """

    lr: float | None
    reason: str
    horizon: int
    interval: tuple[float, float] | None
    criterion: str
    predicted_best: float | None = None
    unit: str = "epoch"
    coverage: float | None = None
    at_risk: float | None = None

    def __str__(self) -> str:
        """The suggestion as text."""
        if self.lr is None:
            return f"No suggestion: {self.reason}"
        return f"Suggested learning rate: {format_rate(self.lr)}. {self.reason}"


def suggest(
    lrs: Float[Array, " K"],
    final: Float[Array, "S K"],
    start: Float[Array, "S K"],
    *,
    horizon: int,
    criterion: str,
    predicted: Float[Array, " K"] | None = None,
    predicted_best: float | None = None,
    verdicts: tuple[str, ...] | None = None,
    unit: str = "epoch",
) -> Suggestion:
    """The rate with the smallest expected final loss among the measured rates that are as good as the best.

    A rate can be used if no run blew up and the median run does not end above the median start. The best of these has the
    lowest median final loss. Another rate is as good as the best if the logarithms of their final losses, paired by seed
    (lanes of a seed share their random numbers), do not differ significantly (a 95 % interval that contains zero), and
    its mean and median are within 30 %. With a single seed it must be within 5 %, or within 25 % if expected losses are
    known. Medians and logarithms are used because a single extreme run would decide a mean.

    Rates that are not safe are not suggested, unless all safe ones end at 1.5 times their loss or higher. Rates whose
    verdict is "diverges" are not suggested if there are others.

    Parameters
    ----------
    lrs : array, shape (K,)
        Learning rates.
    final, start : arrays, shape (S, K)
        Loss after the last epoch and before training; not finite if diverged.
    horizon : int
        Number of epochs or steps that were trained.
    criterion : str
        The name of the losses: ``"training loss"`` or ``"held-out loss"``.
    predicted : array, shape (K,), optional
        Expected final training loss of each rate, NaN if it is not known. Without it, or if it is not known for all
        rates that are as good as the best, the best measured rate is suggested.
    predicted_best : float, optional
        The rate with the smallest expected final loss of all, which the reason mentions.
    verdicts : tuple of str, optional
        The verdict on each rate before training: ``"safe"``, ….
    unit : str
        The unit of the horizon: ``"epoch"`` or ``"step"``.
    """
    S, epochs = len(final), counted(horizon, unit)
    with np.errstate(all="ignore"):
        level = float(np.median(start))
        runs = np.where(np.isfinite(final), np.maximum(final, _NOTHING * level), np.inf)
        typical = np.median(runs, axis=0)
        usable = (typical <= level) & (runs <= _BLOWN * start.max()).all(axis=0)
    if not usable.any():
        lowest, highest = (format_rate(float(end)) for end in (lrs.min(), lrs.max()))
        which = (
            f"every rate from {lowest} up to {highest}" if lrs.size > 1 else f"the rate {lowest}"
        )
        why = f"{which} raises the {criterion} in {epochs}" + ", in some run" * (S > 1)
        return Suggestion(
            None, f"{why}; try smaller ones.", horizon, None, criterion, predicted_best, unit
        )
    expected = None if predicted is None or not np.isfinite(predicted[usable]).any() else predicted
    # If some rates are known to be safe, one about which nothing is known counts as not safe.
    unsafe = {"borderline", "diverges"} | ({"not known"} if "safe" in (verdicts or ()) else set())
    safe = np.array([word not in unsafe for word in verdicts or [""] * len(lrs)])
    aside, pool = "", usable
    if not safe[usable].all():
        diverges = np.array([word == "diverges" for word in verdicts or [""] * len(lrs)])
        pool, aside = _among_the_safe(lrs, typical, usable, safe, diverges)
    mean = runs.mean(axis=0)
    steady = pool & (mean <= (1 + _WIDEST) * mean[pool].min())
    best = int(np.flatnonzero(steady)[np.argmin(typical[steady])])
    candidates, share = np.flatnonzero(pool & _as_good_as(best, runs, pool, _ALIKE)), _ALIKE
    median = f" (median of {S} runs)" if S > 1 else ""
    chosen, sure = best, False
    reason = f"Lowest {criterion} after {epochs}, {typical[best]:.3g}{median}"
    wider = np.flatnonzero(pool & _as_good_as(best, runs, pool, _ALIKE_BY_THEORY))
    known = expected is not None and not np.isnan(expected[wider]).any()
    if expected is not None and known and np.isfinite(expected[candidates]).any():
        chosen = int(wider[np.argmin(expected[wider])])
        if chosen not in candidates:
            candidates, share = wider, _ALIKE_BY_THEORY
        smallest = bool(expected[chosen] <= np.nanmin(expected))
        sure = smallest and share == _ALIKE
        reason = f"Smallest expected training loss after {epochs}"
        reason += "" if smallest else " among the rates that measured best"
        ends = f"measured {criterion}"
        reason += (
            f", and the {ends}, {typical[chosen]:.3g}{median}, confirms it"
            if sure
            else f"; its {ends} is {typical[chosen]:.3g}{median}"
        )
    interval = (float(lrs[candidates].min()), float(lrs[candidates].max()))
    if candidates.size > 1:
        low, high = map(format_rate, interval)
        noise = f"within {100 * share:g} %" if S == 1 else f"within the noise of {S} seeds"
        reason += f"; rates from {low} to {high} are as good {noise}"
    reason += aside
    if S == 1 and lrs.size > 1 and not sure:
        reason += "; one run decides this, and repeats with 10 seeds would be surer"
    reason += "."
    if lrs.size > 1:
        reason += _at_the_edge(lrs, float(lrs[chosen]), predicted_best)
    rate = float(lrs[chosen])
    return Suggestion(rate, reason, horizon, interval, criterion, predicted_best, unit)


def _among_the_safe(
    lrs: Float[Array, " K"],
    typical: Float[Array, " K"],
    usable: Bool[Array, " K"],
    safe: Bool[Array, " K"],
    diverges: Bool[Array, " K"],
) -> tuple[Bool[Array, " K"], str]:
    """The rates to choose from if some are not safe, and a phrase about the others.

    A rate at which nearly every run grows is not among them if there are others, whatever its final loss here.
    """
    best = int(np.flatnonzero(usable)[np.argmin(typical[usable])])
    rate, loss = format_rate(float(lrs[best])), f"{typical[best]:.3g}"
    others = usable & ~diverges if (usable & ~diverges).any() else usable
    if not (usable & safe).any():
        return (
            others,
            ", though it is not known to be safe: no safe rate that was tried can be used",
        )
    least = float(typical[usable & safe].min())
    if least > _WORTH * typical[others].min():
        return others, (
            f", though it is not known to be safe: no safe rate that was tried comes below {least:.3g}"
        )
    if safe[best]:
        return usable & safe, ""
    return usable & safe, f"; {rate} ended lower here, at {loss}, but is not known to be safe"


def _as_good_as(
    best: int, runs: Float[Array, "S K"], pool: Bool[Array, " K"], share: float
) -> Bool[Array, " K"]:
    """Which rates do not differ significantly from the best one; with one seed, which are within a share of it."""
    S = len(runs)
    with np.errstate(all="ignore"):
        if S == 1:
            alike: Array = runs[0] <= (1 + share) * runs[0, best]
            return alike
        # Paired by seed. `mean_interval` never puts the lower end below the lowest value, so a rate that is worse
        # for every seed is not alike.
        apart = mean_interval(np.log(runs / runs[:, [best]]))
        near = np.median(runs, axis=0) <= (1 + _WIDEST) * np.median(runs[:, best])
        near &= runs.mean(axis=0) <= (1 + _WIDEST) * runs.mean(axis=0)[pool].min()
    alike = (apart.low <= 0) & near
    alike[best] = True
    return alike


def _at_the_edge(lrs: Float[Array, " K"], lr: float, predicted_best: float | None) -> str:
    """A sentence about what to try next if the best rate is the smallest or the largest one tried."""
    edge = "smallest" if lr == lrs.min() else "largest" if lr == lrs.max() else None
    if edge is None:
        return ""
    beyond = predicted_best is not None and not lrs.min() <= predicted_best <= lrs.max()
    if predicted_best is None or beyond:
        text = f" It is the {edge} rate tried, so a {edge[:-3]}er one may be better"
        if predicted_best is not None:
            text += f"; the prediction is lowest at {format_rate(float(f'{predicted_best:.2g}'))}"
        return text + "."
    return ""
