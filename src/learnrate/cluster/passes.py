"""The pass over the data split over workers: they make Gram matrices, the lanes move in one place."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from learnrate.cluster.crew import Crew
from learnrate.engines.fused import FusedEngine
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.engines.units import Grams, Unit, units
from learnrate.sweeps.executors import States

__all__ = ["AHEAD", "matrix_bytes", "split_passes", "steps_of_a_unit", "unit_bytes"]

UNIT_BYTES = 1 << 23
"""Of matrices that a worker makes in one go: a few milliseconds' work, for a fraction of one to send it."""
_LEAST = 1 << 22
"""What is worth a call to a worker, which takes a few milliseconds."""
AHEAD = 3
"""Units for each worker that may be made or waiting to be used."""
_DEPTH = 2
"""Of them, those given to a worker, so that it has the next one when it ends one."""


def matrix_bytes(problem: LinearProblem) -> int:
    """Of one minibatch, as the fused engine lays it out."""
    width = -(-(problem.d + 2) // 8) * 8
    return int(width**2 * problem.dtype.itemsize)


def unit_bytes(problem: LinearProblem) -> int:
    """Of a unit's matrices, at most.

    Whoever makes some of a block that is read from a disk has to read all of it, so there a unit is the whole
    block, if its matrices are not too large for that.
    """
    return UNIT_BYTES if problem.source is None else 8 * UNIT_BYTES


def steps_of_a_unit(problem: LinearProblem) -> int:
    """How many minibatches a unit has; fewer where an epoch is short, so that all workers have some."""
    size = matrix_bytes(problem)
    most = unit_bytes(problem) // size
    if problem.source is None:
        most = min(most, max(-(-problem.steps // 16), _LEAST // size))
    return max(1, most)


def split_passes(
    crew: Crew,
    engine: FusedEngine,
    problems: Sequence[LinearProblem],
    starts: Sequence[EpochState | None],
) -> States:
    """Train the problems one after another; see `learnrate.sweeps.executors.Executor`.

    Workers run ahead of the lanes, into the next epoch and the next problem too, but not further than
    `AHEAD` units each.
    """

    def all_units() -> Iterator[tuple[int, Unit]]:
        for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
            for unit in units(problem, start, steps_of_a_unit(problem)):
                yield s, unit

    made = _in_order(crew, all_units())
    for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
        if start is None or start.epoch < problem.epochs:
            for state in engine.epochs_on(problem, start, made):
                yield s, state


def _in_order(crew: Crew, wanted: Iterator[tuple[int, Unit]]) -> Iterator[tuple[Unit, Grams]]:
    """Have all units made, and give them out in order; from elsewhere the next one comes while one is used."""
    known: dict[int, tuple[int, Unit]] = {}  # given to a worker or waiting to be used, by number
    made: dict[int, Any] = {}
    fetched: dict[int, Future[Any]] = {}
    again: list[int] = []
    last = following = 0
    with ThreadPoolExecutor(1, thread_name_prefix="learnrate-fetcher") as fetcher:
        while True:
            for member in crew.free(_DEPTH):
                if again:
                    number = heapq.heappop(again)
                elif len(known) < AHEAD * len(crew.ready) and (item := next(wanted, None)):
                    number, last = last, last + 1
                    known[number] = item
                else:
                    break
                crew.give(member, number, "make", *known[number])
            if not known:
                return
            for _, number, result in crew.wait(
                0 if following in fetched or following in made else 1.0
            ):
                if result is None:
                    heapq.heappush(again, number)
                else:
                    made[number] = result
            if len(crew.machines) > 1:  # on one machine there is nothing to wait for
                for number in (following, following + 1):
                    if number in made:
                        fetched[number] = fetcher.submit(crew.get, made.pop(number))
            if following in fetched:
                grams = fetched.pop(following).result()
            elif following in made:
                grams = crew.get(made.pop(following))
            else:
                continue
            if grams is None:
                heapq.heappush(again, following)
                continue
            yield known.pop(following)[1], Grams(*grams)
            following += 1
