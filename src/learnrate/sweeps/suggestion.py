"""The recommended learning rate, from measured lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
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
    """

    lr: float | None
    reason: str
    horizon: int
    interval: tuple[float, float] | None
    criterion: str

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
) -> Suggestion:
    """The measured rate with the lowest mean final loss over seeds, among those that no run blew up at.

    A rate is as good as the best when the difference of their final losses, paired by seed (lanes of a
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
    """
    usable = np.flatnonzero((np.isfinite(final) & (final <= start)).all(axis=0))
    epochs = f"{horizon} epoch{'s' if horizon > 1 else ''}"
    if usable.size == 0:
        why = (
            f"every rate from {format_rate(float(lrs.min()))} up raises the {criterion} in {epochs}; "
            "try smaller ones."
        )
        return Suggestion(None, why, horizon, None, criterion)
    mean = final[:, usable].mean(axis=0)
    best = int(usable[np.argmin(mean)])
    if final.shape[0] > 1:
        alike = mean_interval(final[:, usable] - final[:, [best]]).low <= 0
        # The lower end is never put under the lowest seed, which is the right test here too: a rate
        # that is worse in every single seed is worse.
        noise = f"within the noise of {final.shape[0]} seeds"
    else:
        alike = mean <= (1 + _ALIKE) * mean.min()
        noise = "within 5 %"
    rates = lrs[usable][alike]
    interval = (float(rates.min()), float(rates.max()))
    reason = f"It has the lowest {criterion} after {epochs}, {mean.min():.3g}"
    if rates.size > 1:
        low, high = map(format_rate, interval)
        reason += f"; rates from {low} to {high} are as good {noise}"
    reason += "."
    if len(lrs) > 1 and lrs[best] in (lrs.min(), lrs.max()):
        which = "smallest" if lrs[best] == lrs.min() else "largest"
        reason += f" It is the {which} rate tried, so a {which[:-3]}er one may be better."
    return Suggestion(float(lrs[best]), reason, horizon, interval, criterion)
