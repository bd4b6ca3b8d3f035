"""The passes of a training cut into units, so that Gram matrices can be made elsewhere and in parallel.

A minibatch's Gram matrix does not depend on the parameters. So whoever has the examples can make those of
any stretch of any epoch, ahead of the lanes, and the lanes need nothing else: the recurrence goes through
the units in order, and what comes out is minibatch SGD itself, not something like it.
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
        The epoch, and which of its blocks: 0 unless examples are shuffled in blocks.
    first, stop : int
        Steps, counted from the first of the block.
    step : int
        ``first``, counted from the first of the epoch.
    moves, adds_up : bool
        Whether the matrices themselves are wanted, and whether their sum is.
    """

    epoch: int
    place: int
    first: int
    stop: int
    step: int
    moves: bool = True
    adds_up: bool = False


class Grams(NamedTuple):
    """What is made of a `Unit`: its matrices one after another, and their sum; each may be empty."""

    G: Array
    total: Array


def units(problem: LinearProblem, start: EpochState | None, most: int) -> Iterator[Unit]:
    """Everything a training goes through, in order, in units of at most ``most`` steps.

    The first pass also adds up, to the loss's quadratic form. A resumed training has to make that first.
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
