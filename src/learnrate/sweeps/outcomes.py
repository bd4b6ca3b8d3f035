"""The outcome of a lane, from its measured curve."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.report.curves import counted

__all__ = ["Outcome", "describe_rate", "diverged_at", "judge"]

_STALL = 0.02
"""A curve is at its floor if the last epoch lowered the loss by less than this share of it, …"""

_STEADY = 0.5
"""… unless it fell by more than this share of the fall in the first epoch: with a small rate all epochs are slow."""

_JUMP = 1.5
"""A curve is unsteady if the last epoch raised the loss by more than this factor."""

_UNDER, _NEAR, _FAR = 0.5, 1.1, 3.0
"""Multiples of the predicted floor: from the first to the second a curve is at it; a plateau above the third is not."""

_NOTHING = 1e-12
"""Losses below this share of the start are rounding, whatever the predicted floor is."""


class Outcome(enum.StrEnum):
    """The outcome of a lane; the values are sentences."""

    DIVERGED = "diverged: the loss stopped being finite"
    RISING = "diverging: ended above its start"
    HIGH_FLOOR = "at its floor, above its start"
    LIFTED = "above its start, by the noise of the minibatches"
    UNSTEADY = "unsteady: goes up and down"
    FALLING = "still falling after the last epoch"
    CREEPING = "creeping, far above its floor"
    AT_FLOOR = "at its floor"
    LEVELLED = "levelled off as its rate fell"
    PRUNED = "pruned: it could no longer be the best"

    @property
    def diverges(self) -> bool:
        """Whether the rate is too large for this lane."""
        return self in (Outcome.DIVERGED, Outcome.RISING)


def diverged_at(
    losses: Float[Array, " points"], positions: Int[Array, " points"] | None = None
) -> int | None:
    """The first measurement whose loss is not finite, in epochs unless positions are given; None if there is none."""
    bad = np.flatnonzero(~np.isfinite(losses))
    if not bad.size:
        return None
    return int(bad[0] if positions is None else positions[bad[0]])


def judge(
    losses: Float[Array, " epochs"],
    floor: float | None = None,
    start: float | None = None,
    least: float = 0.0,
    safe: bool = False,
    positions: Int[Array, " epochs"] | None = None,
    decays: bool = False,
) -> Outcome:
    """The outcome of a lane, from its measured curve.

    Parameters
    ----------
    losses : array, shape (E + 1,)
        Losses before training and after each epoch.
    floor : float, optional
        The loss at which this rate is predicted to settle; infinite if it does not settle. A loss from half of it to
        1.1 times it is at its floor. So is a loss that the last epoch lowered by less than 2 %, and by less than half
        as much as the first epoch, unless it is above three times the predicted floor: then the loss has converged
        along directions of large curvature and has hardly changed along others. If the floor is infinite, a curve that
        does not fall to a new minimum is unsteady. If the features say little about the labels, a floor can be above
        the start; a run that ends there does not diverge.
    start : float, optional
        A run that ends above this loss has risen; by default the first loss of the curve. For several seeds it is the
        highest start, because a seed that starts near the optimum can only rise.
    least : float
        The loss at the optimum, if it is known to be far above 0, as a log loss is. Losses and floors are then compared
        after subtracting it, and a loss within 2 % of the distance from it to the start is at its floor.
    safe : bool
        Whether the mean over runs is known to settle at this rate, so that only noise can raise a run above its start.
    positions : int array, shape (E + 1,), optional
        When the losses were measured; by default at equal distances.
    decays : bool
        Whether a schedule lowers the rate towards the end: a curve then levels off wherever it is, which shows no floor.
    """
    if not np.isfinite(losses).all():
        return Outcome.DIVERGED
    before, last = float(losses[-2]), float(losses[-1])
    start = float(losses[0]) if start is None else start
    settles = floor is None or floor < np.inf
    if last > start and safe:
        return Outcome.HIGH_FLOOR if floor is not None and last <= _FAR * floor else Outcome.LIFTED
    if last > start:
        if floor is None or not settles or ((np.diff(losses) >= 0).all() and last > _FAR * floor):
            return Outcome.RISING
        return Outcome.HIGH_FLOOR if last <= _FAR * floor else Outcome.UNSTEADY
    if last > _JUMP * before:
        return Outcome.UNSTEADY
    there = 0.02 * (start - least) if least else 0.0
    if floor is not None and settles:
        low, near = (least + part * (floor - least) for part in (_UNDER, _NEAR))
        if (least or low <= last) and last <= max(near, least + there):
            return Outcome.AT_FLOOR
    first_fall, last_fall = float(losses[0]) - float(losses[1]), before - last
    if positions is not None:  # scaled to an interval as long as the last
        first_fall *= int(positions[-1] - positions[-2]) / int(positions[1] - positions[0])
    steady = last_fall > 0 and last_fall > _STEADY * first_fall
    lower = last < losses[:-1].min() and (len(losses) < 4 or before <= losses[-3])
    if lower and (steady or last_fall > _STALL * before):
        return Outcome.FALLING
    if not settles:
        return Outcome.UNSTEADY
    far = None if floor is None else max(_FAR * (floor - least), there, _NOTHING * start)
    elsewhere = far is not None and last - least > far
    if elsewhere:
        return Outcome.CREEPING
    return Outcome.LEVELLED if decays and floor is None else Outcome.AT_FLOOR


def describe_rate(
    losses: Float[Array, "S epochs"],
    floor: float | None = None,
    *,
    bounded: bool = False,
    least: float = 0.0,
    safe: bool = False,
    positions: Int[Array, " epochs"] | None = None,
    decays: bool = False,
    unit: str = "epoch",
) -> str:
    """One sentence for all seeds of a rate: their most common outcome, or how many runs diverge.

    Parameters are those of `judge`, for losses of shape (S, E + 1). If the derivative of the loss is ``bounded``, a run that
    ends above its start oscillates and does not diverge.
    """
    if positions is None:
        positions = np.arange(losses.shape[1])
    start = float(losses[:, 0].max())
    outcomes = [judge(curve, floor, start, least, safe, positions, decays) for curve in losses]
    wrong = [outcome for outcome in outcomes if outcome.diverges]
    if wrong and len(wrong) < len(outcomes):
        what = "end above their start" if bounded else "diverge"
        return f"{len(wrong)} of {len(outcomes)} runs {what}; {_most_common(outcomes)}"
    outcome = _most_common(outcomes)
    if outcome is Outcome.DIVERGED:
        found = (diverged_at(curve, positions) for curve in losses)
        first = min(place for place in found if place is not None)
        return f"diverged {'in epoch' if unit == 'epoch' else 'by step'} {first}"
    if outcome is Outcome.RISING and bounded:
        return "swings: ended above its start"
    if outcome is Outcome.CREEPING and floor == 0.0:
        return "creeping: there is no floor"
    if outcome is Outcome.FALLING:
        return f"still falling after {counted(int(positions[-1]), unit)}"
    return str(outcome)


def _most_common(outcomes: Sequence[Outcome]) -> Outcome:
    """The most common outcome of the runs that did not diverge, or of all runs if all diverged."""
    kept = [outcome for outcome in outcomes if not outcome.diverges] or list(outcomes)
    return Counter(kept).most_common(1)[0][0]
