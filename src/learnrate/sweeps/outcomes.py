"""What became of a lane."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Outcome", "describe_rate", "diverged_epoch", "judge"]

_STALL = 0.02
"""A curve whose last epoch lowered the loss by less than this share of it is called at its floor."""

_STEADY = 0.5
"""But not if it fell by more than this share of its first epoch's fall: a small rate is slow all the way."""

_JUMP = 1.5
"""A curve whose last epoch raised the loss by more than this factor has not settled anywhere."""

_NEAR, _FAR = 1.1, 3.0
"""How near the predicted floor counts as there, and from where on a plateau is another one."""

_NOTHING = 1e-12
"""Of the start: below that there is only rounding, whatever the floor would be."""


class Outcome(enum.StrEnum):
    """What became of a lane; the values are sentences."""

    DIVERGED = "diverged: the loss stopped being finite"
    RISING = "diverging: ended above its start"
    UNSTEADY = "unsteady: goes up and down"
    FALLING = "still falling after the last epoch"
    CREEPING = "creeping, far above its floor"
    AT_FLOOR = "at its floor"

    @property
    def diverges(self) -> bool:
        """Whether this rate is too large here."""
        return self in (Outcome.DIVERGED, Outcome.RISING)


def diverged_epoch(losses: Float[Array, " epochs"]) -> int | None:
    """The first epoch at whose end the loss is not finite; None if there is none."""
    bad = np.flatnonzero(~np.isfinite(losses))
    return int(bad[0]) if bad.size else None


def judge(losses: Float[Array, " epochs"], floor: float | None = None) -> Outcome:
    """The outcome that one lane's measured curve shows.

    Parameters
    ----------
    losses : array, shape (E + 1,)
        Before training and after each epoch.
    floor : float, optional
        The loss that this rate is predicted to settle at; infinite where it settles nowhere. A loss within a
        tenth of it is at its floor; so is one that the last epoch lowered by less than 2 %, and by less than
        half as much as the first; but above three times the predicted floor such a plateau is not the floor:
        the steep directions are done and the flat ones have hardly begun. Where there is no floor, what is not
        falling to a new low is unsteady.
    """
    if not np.isfinite(losses).all():
        return Outcome.DIVERGED
    start, before, last = float(losses[0]), float(losses[-2]), float(losses[-1])
    if last > start:
        return Outcome.RISING
    if last > _JUMP * before:
        return Outcome.UNSTEADY
    settles = floor is None or floor < np.inf
    if floor is not None and settles and last <= _NEAR * floor:
        return Outcome.AT_FLOOR
    first_fall, last_fall = start - float(losses[1]), before - last
    steady = last_fall > 0 and last_fall > _STEADY * first_fall
    if (steady or last_fall > _STALL * before) and (settles or last < losses[:-1].min()):
        return Outcome.FALLING
    if not settles:
        return Outcome.UNSTEADY
    elsewhere = floor is not None and last > max(_FAR * floor, _NOTHING * start)
    return Outcome.CREEPING if elsewhere else Outcome.AT_FLOOR


def describe_rate(losses: Float[Array, "S epochs"], floor: float | None = None) -> str:
    """One sentence for all seeds of a rate: the common outcome, or how many runs went wrong."""
    outcomes = [judge(curve, floor) for curve in losses]
    epochs = losses.shape[1] - 1
    wrong = [outcome for outcome in outcomes if outcome.diverges]
    if wrong and len(wrong) < len(outcomes):
        return f"{len(wrong)} of {len(outcomes)} runs diverge; {_most_common(outcomes)}"
    outcome = _most_common(outcomes)
    if outcome is Outcome.DIVERGED:
        first = min(epoch for curve in losses if (epoch := diverged_epoch(curve)) is not None)
        return f"diverged in epoch {first}"
    if outcome is Outcome.FALLING:
        return f"still falling after {epochs} epoch{'s' if epochs > 1 else ''}"
    return str(outcome)


def _most_common(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of most runs, of those that did not diverge where some did not."""
    kept = [outcome for outcome in outcomes if not outcome.diverges] or list(outcomes)
    return Counter(kept).most_common(1)[0][0]
