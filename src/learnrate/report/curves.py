"""Statistics of loss curves, computed once for every drawing of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Curves", "Interval", "format_rate", "mean_interval"]


@dataclass(frozen=True, eq=False)
class Interval:
    """Mean over seeds and its 95 % confidence interval; with one seed all three are the same."""

    mean: Float[Array, "..."]
    low: Float[Array, "..."]
    high: Float[Array, "..."]


def mean_interval(values: Float[Array, "S ..."]) -> Interval:
    """Mean over the first axis (seeds) with Student's 95 % interval, ``m ± t_{0.975, S−1} · s/√S``.

    The lower end is never put below the lowest seed, so that it can be drawn on a log axis. Where a seed
    is not finite, neither is the mean.
    """
    S = values.shape[0]
    with np.errstate(all="ignore"):  # a diverged lane holds inf, and inf − inf is a fair nan
        mean = values.mean(axis=0)
        if S == 1:
            return Interval(mean, mean, mean)
        from scipy.special import stdtrit

        half = stdtrit(S - 1, 0.975) * values.std(axis=0, ddof=1) / math.sqrt(S)
        return Interval(mean, np.maximum(mean - half, values.min(axis=0)), mean + half)


def format_rate(lr: float) -> str:
    """Shortest text that tells rates of one grid apart: ``0.01``, ``0.0316``, ``1e-07``."""
    if 1e-5 <= lr < 1e5 and len(repr(lr)) <= 6:
        return np.format_float_positional(lr, trim="-")
    return f"{lr:.3g}"


@dataclass(frozen=True, eq=False)
class Curves:
    """Loss curves of one sweep, as the drawings need them.

    Attributes
    ----------
    lrs : float64 array, shape (K,)
        Learning rates.
    losses : float64 array, shape (S, K, E + 1)
        Loss of every seed and rate before training and after each epoch; not finite once diverged.
    outcomes : sequence of str
        One sentence per rate.
    quantity : str
        What the losses are, for the axis.
    val_losses : float64 array, shape (S, K, E + 1), optional
        The same on held-out examples.
    r2 : float64 array, shape (S, K), optional
        R² on held-out examples at the end.
    suggested : int, optional
        Index of the suggested rate.
    predicted : float64 array, shape (K, E + 1), optional
        Expected loss, worked out before training.
    limit, typical_limit : float, optional
        Where the mean over runs, and where a typical run, stops converging.
    floors : float64 array, shape (K,), optional
        The loss that SGD noise keeps each rate from going below.
    verdicts : sequence of str, optional
        What was said of each rate before training: safe, borderline, diverges.
    lines : sequence of (float, str)
        Other rates to mark, each with its label.
    """

    lrs: Float[Array, " K"]
    losses: Float[Array, "S K epochs"]
    outcomes: tuple[str, ...]
    quantity: str = "loss, mean of ½(ŷ − y)²"
    val_losses: Float[Array, "S K epochs"] | None = None
    r2: Float[Array, "S K"] | None = None
    suggested: int | None = None
    predicted: Float[Array, "K epochs"] | None = None
    limit: float | None = None
    typical_limit: float | None = None
    floors: Float[Array, " K"] | None = None
    verdicts: tuple[str, ...] | None = None
    lines: tuple[tuple[float, str], ...] = ()

    @property
    def epochs(self) -> Array:
        """``0, 1, …, E``: the horizontal axis."""
        return np.arange(self.losses.shape[2])

    @property
    def seeds(self) -> int:
        """Number of repeats S."""
        return int(self.losses.shape[0])

    def labels(self) -> tuple[str, ...]:
        """One label per rate, as in the note, with what is to be said of it: ``lr=2 diverges``.

        That is the verdict where it is not safe, and ``suggested`` where there was a choice.
        """
        verdicts = self.verdicts or ("safe",) * len(self.lrs)
        return tuple(
            f"lr={format_rate(float(lr))}"
            + (f" {verdict}" if verdict != "safe" else "")
            + (" suggested" if k == self.suggested and len(self.lrs) > 1 else "")
            for k, (lr, verdict) in enumerate(zip(self.lrs, verdicts, strict=True))
        )
