"""The recommended learning rate: found from the prediction, confirmed by measured lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.report.curves import format_rate, mean_interval

__all__ = ["Suggestion", "suggest"]

_ALIKE = 0.05
"""With one seed there is no measured noise; final losses within this share of the best count alike."""


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
        Epochs that it holds for: a shorter run wants a larger rate, a longer one a smaller.
    interval : (float, float) or None
        Lowest and highest measured rate that is as good within the noise.
    criterion : str
        The loss that was compared.
    predicted_best : float or None
        The rate with the least expected training loss at this horizon, tried or not, by the theory.
    """

    lr: float | None
    reason: str
    horizon: int
    interval: tuple[float, float] | None
    criterion: str
    predicted_best: float | None = None

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
) -> Suggestion:
    """The rate with the least expected final loss among the measured rates that are as good as the best.

    The best is the measured rate with the lowest mean final loss over seeds, among those that no run blew
    up at. A rate is as good as the best when the difference of their final losses, paired by seed (lanes of a
    seed share their random numbers), has a 95 % interval that reaches zero; with a single seed, when it
    lies within 5 %.

    Parameters
    ----------
    lrs : array, shape (K,)
    final, start : arrays, shape (S, K)
        Loss after the last epoch and before training; not finite where diverged.
    horizon : int
        Epochs trained.
    criterion : str
        What the losses are: ``"training loss"`` or ``"held-out loss"``.
    predicted : array, shape (K,), optional
        Expected final loss of each rate. Where it is not given the best measured rate is taken.
    predicted_best : float, optional
        The rate with the least expected final loss of all, for the reason.
    """
    usable = np.flatnonzero((np.isfinite(final) & (final <= start)).all(axis=0))
    epochs = f"{horizon} epoch{'s' if horizon > 1 else ''}"
    if usable.size == 0:
        why = (
            f"every rate from {format_rate(float(lrs.min()))} up raises the {criterion} in {epochs}; "
            "try smaller ones."
        )
        return Suggestion(None, why, horizon, None, criterion, predicted_best)
    alike, noise = _as_good_as_the_best(final[:, usable])
    candidates = usable[alike]
    mean = final.mean(axis=0)
    if predicted is not None and np.isfinite(predicted[candidates]).any():
        chosen = int(candidates[np.nanargmin(predicted[candidates])])
        reason = f"Smallest expected training loss after {epochs}"
        reason += f", and the measured {criterion}, {mean[chosen]:.3g}, confirms it"
    else:
        chosen = int(candidates[np.argmin(mean[candidates])])
        reason = f"Lowest {criterion} after {epochs}, {mean[chosen]:.3g}"
    rates = lrs[candidates]
    interval = (float(rates.min()), float(rates.max()))
    if rates.size > 1:
        low, high = map(format_rate, interval)
        reason += f"; rates from {low} to {high} are as good {noise}"
    reason += "."
    if lrs.size > 1:
        reason += _at_the_edge(lrs, float(lrs[chosen]), predicted_best)
    return Suggestion(float(lrs[chosen]), reason, horizon, interval, criterion, predicted_best)


def _as_good_as_the_best(final: Float[Array, "S K"]) -> tuple[Bool[Array, " K"], str]:
    """Which rates no measurement tells from the best one, and the measure in words."""
    S = final.shape[0]
    mean = final.mean(axis=0)
    if S == 1:
        return mean <= (1 + _ALIKE) * mean.min(), f"within {100 * _ALIKE:g} %"
    # Paired by seed. The interval's lower end is never put under the lowest seed, which is right here
    # too: a rate that is worse in every single seed is worse.
    difference = final - final[:, [int(np.argmin(mean))]]
    return mean_interval(difference).low <= 0, f"within the noise of {S} seeds"


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
