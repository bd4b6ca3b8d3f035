"""Which lanes are ended early: successive halving."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.training.problem import Horizon

__all__ = ["Halving", "Rung", "lowest_of_each", "lowest_so_far"]


def lowest_of_each(curves: Float[Array, "S K points"]) -> Float[Array, "S K"]:
    """The lowest loss on each lane's curve; infinite where its last loss is not finite."""
    finite = np.isfinite(curves)
    low = np.where(finite, curves, np.inf).min(axis=2)
    lowest: Array = np.where(finite[:, :, -1], low, np.inf)
    return lowest


def lowest_so_far(curves: Float[Array, "S K points"]) -> Float[Array, " K"]:
    """The mean over seeds of each rate's `lowest_of_each`."""
    lowest: Array = lowest_of_each(curves).mean(axis=0)
    return lowest


class Rung(NamedTuple):
    """A measurement after which ``left`` rates go on."""

    point: int
    left: int


@dataclass(frozen=True)
class Halving:
    """After some parts of the run the rates with the lowest losses so far go on, and the others are ended.

    With 13 rates 7 go on after 1/128 of the run, 4 after 1/32, 2 after 1/8, and one after 1/4. Each of these ends at the
    measurement that is nearest in the logarithm of the length.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (arXiv
    1502.07943); where the rungs lie was measured on small tasks (docs/suggestion-quality.md).

    Attributes
    ----------
    rungs : sequence of (float, float)
        Parts of the run, and the share of the rates that goes on after each; one rate at least.
    fewest : int
        Steps before which nothing is ended.
    after : float
        The share of the run after which the parts begin to count: until the schedule's warm-up has half the rate, the
        largest rates look best, although many of them will diverge.
    """

    rungs: tuple[tuple[float, float], ...] = (
        *((1 / 128, 0.53), (1 / 32, 0.3)),
        *((1 / 8, 0.15), (1 / 4, 0.0)),
    )
    fewest: int = 8
    after: float = 0.0

    def points(self, horizon: Horizon, rates: int) -> Iterator[Rung]:
        """The measurements after which rates are ended.

        Parameters
        ----------
        horizon : Horizon
            Where lanes are measured.
        rates : int
            How many there are at the start.
        """
        positions, going, found = horizon.positions, rates, dict[int, int]()
        per_position = 1 if horizon.unit == "step" else horizon.per_epoch or self.fewest
        for part, share in self.rungs:
            place = self.after + part * (1 - self.after)
            apart = np.abs(np.log(positions[1:] / (place * positions[-1])))
            point = 1 + int(np.argmin(apart))
            if positions[point] * per_position >= self.fewest:
                found[point] = max(1, math.ceil(share * rates))
        for point, left in found.items():
            if point < len(positions) - 1 and left < going:
                yield Rung(point, left)
                going = left

    @staticmethod
    def ended(lowest: Float[Array, " K"], left: int) -> Int[Array, " ended"]:
        """The numbers of the rates that are ended.

        Parameters
        ----------
        lowest : float64 array, shape (K,)
            The lowest loss of each rate so far, the mean over its seeds. Infinite where it has diverged.
        left : int
            How many go on.
        """
        return np.argsort(lowest, kind="stable")[left:]
