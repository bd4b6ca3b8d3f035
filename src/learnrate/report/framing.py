"""Which rates a plot shows, and where its loss axis ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.report.curves import Curves

__all__ = ["foreseen", "leaving", "spread", "top_of_axis"]

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
