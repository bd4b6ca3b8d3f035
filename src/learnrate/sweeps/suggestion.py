"""The recommended learning rate: found from the prediction, confirmed by measured lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.report.curves import counted, format_rate, mean_interval

__all__ = ["Suggestion", "suggest"]

_ALIKE = 0.05
"""With one seed there is no measured noise; final losses within this share of the best count alike, …"""

_ALIKE_BY_THEORY = 0.25
"""… or within this share where the theory knows what to expect, for one run's end is mostly chance."""

_WIDEST = 0.3
"""Rates that are further from the best than this share are not as good, however much the seeds scatter."""

_BLOWN = 1.05
"""A run that ends above the highest start of all seeds times this has blown up."""

_WORTH = 1.5
"""A rate that is not safe is suggested only where every safe one ends this many times higher."""

_NOTHING = 1e-12
"""Of the start: losses below that are rounding, and alike."""


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
        Epochs, or steps, that it holds for: a shorter run wants a larger rate, a longer one a smaller.
    interval : (float, float) or None
        Lowest and highest measured rate that is as good within the noise.
    criterion : str
        The loss that was compared.
    predicted_best : float or None
        The rate with the least expected training loss at this horizon, tried or not, by the theory.
    unit : str
        Of the horizon: ``"epoch"`` or ``"step"``.
    coverage : float or None
        For a run that is longer than the sweep: the share of tasks in which the best rate lies in ``interval``.
    at_risk : float or None
        For such a run: the most that a rate inside the interval lost at the sweep's own length, as a share of what
        the best rate gained from the start.
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
        """The sentence for a reader."""
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
    """The rate with the least expected final loss among the measured rates that are as good as the best.

    A rate can be used where no run blew up, and where the median run ends no higher than the median start. The
    best of these has the lowest median final loss. A rate is as good as the best when the logarithms of their
    final losses, paired by seed (lanes of a seed share their random numbers), differ by no more than chance
    (a 95 % interval that reaches zero), and both its mean and its median are within 30 %. With a single seed it
    must lie within 5 %, or within 25 % where the expected losses are known. Medians and logarithms, because one lucky
    start or one bad end would rule a mean.

    Rates that are not safe are passed over, unless every safe one ends half as high again; those that diverge are in any case.

    Parameters
    ----------
    lrs : array, shape (K,)
    final, start : arrays, shape (S, K)
        Loss after the last epoch and before training; not finite where diverged.
    horizon : int
        Epochs or steps trained.
    criterion : str
        What the losses are: ``"training loss"`` or ``"held-out loss"``.
    predicted : array, shape (K,), optional
        Expected final training loss of each rate, NaN where it is not known. Where it is not given, or not known of all
        rates that measured best, the best measured rate is taken.
    predicted_best : float, optional
        The rate with the least expected final loss of all, for the reason.
    verdicts : tuple of str, optional
        What was said of each rate before training: ``"safe"``, ….
    unit : str
        Of the horizon: ``"epoch"`` or ``"step"``.
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
    # Beside rates that are safe, one of which nothing is known is not; where nothing is known of any it may be.
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
    """The rates to choose from where some are not safe, and what is to be said of the others.

    One at which nearly every run grows is never among them beside others, however it ended here.
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
    """Which rates no measurement tells from the best one; with one seed, which are within a share of it."""
    S = len(runs)
    with np.errstate(all="ignore"):
        if S == 1:
            alike: Array = runs[0] <= (1 + share) * runs[0, best]
            return alike
        # Paired by seed. The interval's lower end is never put under the lowest seed, which is right here
        # too: a rate that is worse in every single seed is worse.
        apart = mean_interval(np.log(runs / runs[:, [best]]))
        near = np.median(runs, axis=0) <= (1 + _WIDEST) * np.median(runs[:, best])
        near &= runs.mean(axis=0) <= (1 + _WIDEST) * runs.mean(axis=0)[pool].min()
    alike = (apart.low <= 0) & near
    alike[best] = True
    return alike


def _at_the_edge(lrs: Float[Array, " K"], lr: float, predicted_best: float | None) -> str:
    """What to try next, where the best of the rates tried is their smallest or largest."""
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
