"""The passes over the examples cut into units, so that other processes can compute Gram matrices in parallel.

The Gram matrix of a minibatch does not depend on the parameters. So the Gram matrices of any minibatches can be computed
in advance by any process that has the examples. The lanes need nothing else: with the units in order, the recurrence is
exactly that of minibatch SGD.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from learnrate._shapes import Array
from learnrate.data.order import Sampling, steps_per_epoch
from learnrate.linear.problem import EpochState, LinearProblem

__all__ = ["Grams", "Unit", "units"]


class Unit(NamedTuple):
    """Consecutive minibatches of an epoch.

    Attributes
    ----------
    epoch, place : int
        The epoch, and the number of its block; 0 unless examples are shuffled in blocks.
    first, stop : int
        The range of steps, counted from the first of the block.
    step : int
        ``first``, counted from the first of the epoch.
    moves, adds_up : bool
        Whether the matrices are needed, and whether their sum is.
    """

    epoch: int
    place: int
    first: int
    stop: int
    step: int
    moves: bool = True
    adds_up: bool = False


class Grams(NamedTuple):
    """The Gram matrices of a `Unit`, and their sum; each may be empty."""

    G: Array
    total: Array


def units(problem: LinearProblem, start: EpochState | None, most: int) -> Iterator[Unit]:
    """Yield all units of a training in order, each of at most ``most`` steps.

    The sum of the matrices of the first pass gives the quadratic form of the loss. If training is resumed, it is
    computed first.
    """
    adds_up = problem.sampling is Sampling.SHUFFLE
    done = 0 if start is None else start.epoch
    if adds_up and done < problem.epochs and done > 0:
        yield from _pass(problem, Unit(0, 0, 0, 0, 0, moves=False, adds_up=True), most)
    for epoch in range(done, problem.epochs):
        yield from _pass(problem, Unit(epoch, 0, 0, 0, 0, adds_up=adds_up and epoch == 0), most)


def _pass(problem: LinearProblem, like: Unit, most: int) -> Iterator[Unit]:
    orders = problem.orders()
    step = 0
    for place, block in enumerate(orders.sequence(like.epoch).tolist()):
        rows = min(orders.rows, problem.n - block * orders.rows)
        steps = steps_per_epoch(rows, problem.batch_size)
        for first in range(0, steps, most):
            stop = min(first + most, steps)
            yield like._replace(place=place, first=first, stop=stop, step=step + first)
        step += steps
