"""The geometry of the plots: which rates and points they show, and where their axes end."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.report.curves import Curves, format_rate, mean_interval

__all__ = ["FinalLosses", "final_losses", "foreseen", "leaving", "spread", "thin", "top_of_axis"]

_RISE = 30.0
"""The log loss axis ends at this multiple of the first loss; a diverging curve leaves the plot there."""


def top_of_axis(curves: Curves, *, log: bool) -> float:
    """The largest loss shown, if some curve rises far above its first loss."""
    return (_RISE if log else 1.3) * float(curves.losses[:, :, 0].max())


def leaving(losses: Any, top: float, points: int | None = None) -> Any:
    """A curve that leaves the plot at its first huge or infinite loss, and is nan afterwards.

    With ``points``, only so many of the losses were measured: the curve ends there.
    """
    gone = np.nan_to_num(losses, nan=np.inf) > 1e3 * top
    after = np.concatenate(([False], np.logical_or.accumulate(gone)[:-1]))
    after[points:] |= points is not None
    return np.where(after, np.nan, np.where(gone, 1e3 * top, losses))


def foreseen(losses: Any, top: float) -> Any:
    """A predicted curve that leaves the plot at its first huge loss; it has gaps where it is nan."""
    unknown = np.isnan(losses)
    return np.where(unknown, np.nan, leaving(np.where(unknown, 0.0, losses), top))


def spread(curves: Curves, most: int) -> list[int]:
    """The indices of at most ``most`` rates to show: all, or evenly spaced ones with the suggested rate."""
    K = len(curves.lrs)
    if most >= K:
        return list(range(K))
    chosen = set(np.linspace(0, K - 1, most - 1).round().astype(int).tolist())
    return sorted(chosen if curves.suggested is None else chosen | {curves.suggested})


def thin(count: int, most: int) -> Any:
    """At most ``most`` evenly spaced indices below ``count``, with the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


class FinalLosses(NamedTuple):
    """The plot of final loss against learning rate: L rates in ascending order that were trained to the end.

    Attributes
    ----------
    lrs, mean, low, high : arrays, shape (L,)
        The rates, and the mean over seeds of their final losses with its 95 % confidence interval.
    inside : bool array, shape (L,)
        Whether the mean is finite and below ``top``.
    top : float
        The largest loss in the plot, at which the other rates are drawn.
    outside : str
        The label of these other rates.
    predicted, floors : arrays, shape (L,), or None
        Predicted final losses and floors, NaN where they are not below ``top``.
    lines : tuple of (float, str, str)
        Vertical lines: rate, kind (``limit``, ``typical`` or ``other``) and label.
    suggested : (float, float, str) or None
        Rate, final loss and label of the suggestion.
    """

    lrs: Float[Array, " L"]
    mean: Float[Array, " L"]
    low: Float[Array, " L"]
    high: Float[Array, " L"]
    inside: Bool[Array, " L"]
    top: float
    outside: str
    predicted: Float[Array, " L"] | None
    floors: Float[Array, " L"] | None
    lines: tuple[tuple[float, str, str], ...]
    suggested: tuple[float, float, str] | None


def final_losses(curves: Curves, most: int | None = None) -> FinalLosses:
    """The plot of final loss against learning rate, of at most ``most`` rates."""
    order, final, say = np.argsort(curves.lrs), mean_interval(curves.losses[:, :, -1]), curves.say
    if most is not None:
        order = order[thin(len(order), most)]
    order = order[curves.whole[order]]
    mean, top = final.mean[order], 5 * float(curves.losses[:, :, 0].max())
    inside = np.isfinite(mean) & (mean < top)
    outside = "above the picture" if np.isfinite(mean[~inside]).any() else "diverged"

    def below_top(losses: Any) -> Any:
        return None if losses is None else np.where(losses[order] < top, losses[order], np.nan)

    limits = (
        (curves.limit, "limit", "limit (mean)"),
        (curves.typical_limit, "typical", "limit (typical run)"),
    )
    lines = [
        (at, kind, say(f"{name}: {format_rate(at)}")) for at, kind, name in limits if at is not None
    ]
    suggested, k = None, curves.suggested
    if k is not None:
        lr = float(curves.lrs[k])
        suggested = lr, float(final.mean[k]), say(f"suggested: {format_rate(lr)}")
    return FinalLosses(
        lrs=curves.lrs[order],
        mean=mean,
        low=final.low[order],
        high=final.high[order],
        inside=inside,
        top=top,
        outside=say(outside),
        predicted=below_top(None if curves.predicted is None else curves.predicted[:, -1]),
        floors=below_top(curves.floors),
        lines=(*lines, *((at, "other", label) for at, label in curves.lines)),
        suggested=suggested,
    )
