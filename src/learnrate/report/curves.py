"""Loss curves, their statistics, and the table of rates as text, for all plots and reports."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float, Int
from learnrate._translation import Say, as_it_is

_GOOD = ("safe", "proved safe", "settles")
"""Verdicts that a curve's label leaves out."""

__all__ = [
    "Curves",
    "Interval",
    "Outlook",
    "counted",
    "format_loss",
    "format_rate",
    "mean_interval",
    "rate_rows",
]


@dataclass(frozen=True, eq=False)
class Interval:
    """Mean over seeds with its 95 % confidence interval; with one seed the ends equal the mean."""

    mean: Float[Array, "..."]
    low: Float[Array, "..."]
    high: Float[Array, "..."]


def mean_interval(values: Float[Array, "S ..."]) -> Interval:
    """Mean over the first axis (seeds) with Student's 95 % confidence interval, ``m ± t_{0.975, S−1} · s/√S``.

    The lower end is at least the smallest value, so that it can be drawn on a log axis. Where a value is not finite,
    neither is the mean.
    """
    S = values.shape[0]
    with np.errstate(all="ignore"):  # a diverged lane holds inf, and inf − inf is nan
        mean = values.mean(axis=0)
        if S == 1:
            return Interval(mean, mean, mean)
        from scipy.special import stdtrit

        half = stdtrit(S - 1, 0.975) * values.std(axis=0, ddof=1) / math.sqrt(S)
        return Interval(mean, np.maximum(mean - half, values.min(axis=0)), mean + half)


def counted(number: int, unit: str) -> str:
    """``3 epochs``, ``1 step``."""
    return f"{number} {unit}{'s' if number != 1 else ''}"


def format_rate(lr: float) -> str:
    """A learning rate as short text, which is different for each rate of a grid: ``0.01``, ``0.0316``, ``1e-07``."""
    if 1e-5 <= lr < 1e5 and len(repr(lr)) <= 6:
        return np.format_float_positional(lr, trim="-")
    return f"{lr:.3g}"


@dataclass(frozen=True, eq=False)
class Outlook:
    """The rate for a longer run, and how the best rate has moved so far.

    Attributes
    ----------
    lr, low, high : float
        The rate, and the ends of its interval.
    label : str
        What the rate is for.
    rates, losses, places : arrays, shape (P,)
        The best rate at some measurements, the loss there, and when that was, in epochs or steps.
    """

    lr: float
    low: float
    high: float
    label: str
    rates: Float[Array, " P"]
    losses: Float[Array, " P"]
    places: Int[Array, " P"]


@dataclass(frozen=True, eq=False)
class Curves:
    """Loss curves of one sweep, with all that the plots show.

    Attributes
    ----------
    lrs : float64 array, shape (K,)
        Learning rates.
    losses : float64 array, shape (S, K, E + 1)
        Mean loss of every seed and rate, before training and after each epoch; not finite once a lane has diverged.
    outcomes : sequence of str
        For each rate a sentence with its outcome.
    quantity : str
        Label of the loss axis.
    unit : str
        What is counted on the horizontal axis: ``"epoch"`` or ``"step"``.
    positions : int array, shape (E + 1,), optional
        When the losses were measured, in that unit; by default after each epoch or step.
    log_positions : bool
        Whether the positions should be drawn on a log axis.
    val_losses : float64 array, shape (S, K, E + 1), optional
        Losses on held-out examples.
    score : (str, float64 array of shape (S, K)), optional
        Name and final values of the score that is shown beside the loss, such as R² on held-out examples.
    suggested : int, optional
        Index of the suggested rate.
    predicted : float64 array, shape (K, E + 1), optional
        Expected loss, computed before training.
    limit, typical_limit : float, optional
        The largest rate with which the mean over runs converges, and with which a typical run does.
    floors : float64 array, shape (K,), optional
        For each rate, the loss below which SGD noise does not let it go.
    verdicts : sequence of str, optional
        The prediction for each rate before training: safe, borderline, diverges.
    lines : sequence of (float, str)
        Other rates to mark with a line, with their labels.
    outlook : Outlook, optional
        The rate for a longer run, where one is asked for.
    say : callable
        Translates an English sentence into the language of the plots.
    pruned : int array, shape (K,), optional
        The last measurement of a rate that was ended early; −1 for the others.
    """

    lrs: Float[Array, " K"]
    losses: Float[Array, "S K epochs"]
    outcomes: tuple[str, ...]
    quantity: str = "loss, mean of ½(ŷ − y)²"
    unit: str = "epoch"
    positions: Int[Array, " epochs"] | None = None
    log_positions: bool = False
    val_losses: Float[Array, "S K epochs"] | None = None
    score: tuple[str, Float[Array, "S K"]] | None = None
    suggested: int | None = None
    predicted: Float[Array, "K epochs"] | None = None
    limit: float | None = None
    typical_limit: float | None = None
    floors: Float[Array, " K"] | None = None
    verdicts: tuple[str, ...] | None = None
    lines: tuple[tuple[float, str], ...] = ()
    outlook: Outlook | None = None
    say: Say = as_it_is
    pruned: Int[Array, " K"] | None = None

    @property
    def whole(self) -> Bool[Array, " K"]:
        """Which rates were trained to the end, or until they diverged."""
        return np.ones(len(self.lrs), dtype=bool) if self.pruned is None else self.pruned < 0

    def points(self, k: int) -> int:
        """The number of measurements of a rate: all, unless it was ended early."""
        last = -1 if self.pruned is None else int(self.pruned[k])
        return self.losses.shape[2] if last < 0 else last + 1

    def measured(self, k: int) -> Float[Array, "S points"]:
        """The losses of a rate up to its last measurement."""
        return self.losses[:, k, : self.points(k)]

    def ended_early(self) -> tuple[Float[Array, " L"], Float[Array, " L"]]:
        """The rates that were ended early, in ascending order, and the mean of their last losses."""
        order = np.argsort(self.lrs)
        ks = order[~self.whole[order]]
        last = [float(self.measured(k)[:, -1].mean()) for k in ks.tolist()]
        return self.lrs[ks], np.array(last)

    @property
    def length(self) -> int:
        """Epochs or steps of the whole run."""
        return self.losses.shape[2] - 1 if self.positions is None else int(self.positions[-1])

    @property
    def places(self) -> Array:
        """The horizontal axis: ``0, 1, …, E``, or the positions. On a log axis the start is at half the first position."""
        if self.positions is None:
            return np.arange(self.losses.shape[2])
        if not self.log_positions:
            return self.positions
        return np.append(0.5 * self.positions[1:2], self.positions[1:])

    @property
    def seeds(self) -> int:
        """Number of seeds, S."""
        return int(self.losses.shape[0])

    def labels(self) -> tuple[str, ...]:
        """The label of each curve: ``lr=0.01``, ``lr=2 diverges``, ``lr=0.3 suggested``.

        There is no verdict for safe rates, and no ``suggested`` if there is a single rate.
        """
        verdicts = self.verdicts or ("safe",) * len(self.lrs)
        return tuple(
            f"lr={format_rate(float(lr))}"
            + (f" {self.say(verdict)}" if verdict not in _GOOD else "")
            + (f" {self.say('suggested')}" if k == self.suggested and len(self.lrs) > 1 else "")
            for k, (lr, verdict) in enumerate(zip(self.lrs, verdicts, strict=True))
        )


def rate_rows(curves: Curves, shown: list[int]) -> tuple[list[str], list[list[str]]]:
    """Headings, and for each rate in ``shown`` a row: rate, final loss, interval, held-out loss, score."""
    final = mean_interval(curves.losses[:, :, -1])
    columns = {
        "rate": [format_rate(float(lr)) for lr in curves.lrs[shown]],
        "final loss": [_at_the_end(curves, final.mean, k) for k in shown],
    }
    if curves.seeds > 1:
        columns["95 % interval"] = [
            f"{_at_the_end(curves, final.low, k)} – {_at_the_end(curves, final.high, k)}"
            for k in shown
        ]
    if curves.val_losses is not None:
        val = mean_interval(curves.val_losses[:, :, -1]).mean
        columns["held out"] = [_at_the_end(curves, val, k) for k in shown]
    if curves.score is not None:
        name, values = curves.score
        score = mean_interval(values).mean
        columns[name] = [_format_score(score[k]) for k in shown]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def _at_the_end(curves: Curves, losses: Float[Array, " K"], k: int) -> str:
    """A loss at the end of a run; a dash for a rate that was ended early."""
    return format_loss(losses[k]) if curves.whole[k] else "–"


def format_loss(loss: float) -> str:
    """Three significant digits, or ``∞`` where the loss is not finite."""
    if not np.isfinite(loss):
        return "∞"
    return f"{loss:.3g}" if loss == 0 or 1e-3 <= abs(loss) < 1e5 else f"{loss:.2e}"


def _format_score(score: float) -> str:
    """Three decimals; ``< −100`` for very low scores, ``–`` where the score is not finite."""
    if not np.isfinite(score):
        return "–"
    return f"{score:.3f}".replace("-", "−") if score > -100 else "< −100"
