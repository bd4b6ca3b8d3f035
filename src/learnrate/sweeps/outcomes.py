"""What became of a lane."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.report.curves import counted

__all__ = ["Outcome", "describe_rate", "diverged_at", "judge"]

_STALL = 0.02
"""A curve whose last epoch lowered the loss by less than this share of it is called at its floor."""

_STEADY = 0.5
"""But not if it fell by more than this share of its first epoch's fall: a small rate is slow all the way."""

_JUMP = 1.5
"""A curve whose last epoch raised the loss by more than this factor has not settled anywhere."""

_UNDER, _NEAR, _FAR = 0.5, 1.1, 3.0
"""How near the predicted floor counts as there, and from where on a plateau is another one."""

_NOTHING = 1e-12
"""Of the start: below that there is only rounding, whatever the floor would be."""


class Outcome(enum.StrEnum):
    """What became of a lane; the values are sentences."""

    DIVERGED = "diverged: the loss stopped being finite"
    RISING = "diverging: ended above its start"
    HIGH_FLOOR = "at its floor, above its start"
    LIFTED = "above its start, by the noise of the minibatches"
    UNSTEADY = "unsteady: goes up and down"
    FALLING = "still falling after the last epoch"
    CREEPING = "creeping, far above its floor"
    AT_FLOOR = "at its floor"
    PRUNED = "pruned: it could no longer be the best"

    @property
    def diverges(self) -> bool:
        """Whether this rate is too large here."""
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
) -> Outcome:
    """The outcome that one lane's measured curve shows.

    Parameters
    ----------
    losses : array, shape (E + 1,)
        Before training and after each epoch.
    floor : float, optional
        The loss that this rate is predicted to settle at; infinite where it settles nowhere. A loss near it (from
        half of it to a tenth above) is at its floor; so is one that the last epoch lowered by less than 2 %, and by
        less than half as much as the first; but above three times the predicted floor such a plateau is not the
        floor: the steep directions are done and the flat ones have hardly begun. Where there is no floor, what is not
        falling to a new low is unsteady. Where the features say little about the labels a floor can lie above the
        start; a run that ends there does not diverge.
    start : float, optional
        The loss above which a run has gone up; its own start unless given. Over several seeds it is the highest
        start, for a seed that starts near the optimum can only go up.
    least : float
        The loss at the optimum, where that is known to be far above 0, as a log loss is: how near a run is to its floor
        is then measured from there, and a fiftieth of the way from the start counts as there.
    safe : bool
        Whether it is known that the mean over runs settles at this rate: then noise alone lifts one above its start.
    positions : int array, shape (E + 1,), optional
        Where the losses were measured; at equal distances unless given.
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
    if positions is not None:  # what the first stretch would be if it were as long as the last
        first_fall *= int(positions[-1] - positions[-2]) / int(positions[1] - positions[0])
    steady = last_fall > 0 and last_fall > _STEADY * first_fall
    lower = last < losses[:-1].min() and (len(losses) < 4 or before <= losses[-3])
    if lower and (steady or last_fall > _STALL * before):
        return Outcome.FALLING
    if not settles:
        return Outcome.UNSTEADY
    far = None if floor is None else max(_FAR * (floor - least), there, _NOTHING * start)
    elsewhere = far is not None and last - least > far
    return Outcome.CREEPING if elsewhere else Outcome.AT_FLOOR


def describe_rate(
    losses: Float[Array, "S epochs"],
    floor: float | None = None,
    *,
    bounded: bool = False,
    least: float = 0.0,
    safe: bool = False,
    positions: Int[Array, " epochs"] | None = None,
    unit: str = "epoch",
) -> str:
    """One sentence for all seeds of a rate: the common outcome, or how many runs went wrong.

    With a loss whose gradient is ``bounded`` a run that ended above its start has not begun to grow without end.
    """
    if positions is None:
        positions = np.arange(losses.shape[1])
    start = float(losses[:, 0].max())
    outcomes = [judge(curve, floor, start, least, safe, positions) for curve in losses]
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
    """The outcome of most runs, of those that did not diverge where some did not."""
    kept = [outcome for outcome in outcomes if not outcome.diverges] or list(outcomes)
    return Counter(kept).most_common(1)[0][0]
