"""What part of the curves a drawing shows: which rates, and where the loss axis ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.report.curves import Curves

__all__ = ["leaving", "spread", "top_of_axis"]

_RISE = 30.0
"""How far above the start the axis goes: a diverging curve leaves the picture instead of squeezing it."""


def top_of_axis(curves: Curves, *, log: bool) -> float:
    """Where the loss axis ends if some curve rises far above its start."""
    return (_RISE if log else 1.3) * float(curves.losses[:, :, 0].max())


def leaving(losses: Any, top: float) -> Any:
    """A curve that rises out of the picture at its first huge or infinite loss and ends there."""
    gone = np.nan_to_num(losses, nan=np.inf) > 1e3 * top
    after = np.concatenate(([False], np.logical_or.accumulate(gone)[:-1]))
    return np.where(after, np.nan, np.where(gone, 1e3 * top, losses))


def spread(curves: Curves, most: int) -> list[int]:
    """Which rates to show: all of a short list, else some evenly spread and the suggested one."""
    K = len(curves.lrs)
    if most >= K:
        return list(range(K))
    chosen = set(np.linspace(0, K - 1, most - 1).round().astype(int).tolist())
    return sorted(chosen if curves.suggested is None else chosen | {curves.suggested})
