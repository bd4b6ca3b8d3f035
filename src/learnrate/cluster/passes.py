"""Splitting the data: workers compute Gram matrices, and the driver updates all lanes with them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from learnrate.cluster.pool import WorkerPool
from learnrate.linear.fused import FusedEngine
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.units import Grams, Unit, units
from learnrate.training.executors import States
from learnrate.training.states import LaneStates

__all__ = ["UNITS_AHEAD", "matrix_bytes", "split_passes", "steps_of_a_unit", "unit_bytes"]

UNIT_BYTES = 1 << 23
"""Matrices of one unit: a few milliseconds of work for a worker, and a fraction of a millisecond to send."""
_LEAST_UNIT_BYTES = 1 << 22
"""Smaller units are not worth a call to a worker, which takes about a millisecond."""
UNITS_AHEAD = 3
"""For each worker, so many units may be computed or wait to be used."""
_TASKS_PER_WORKER = 2
"""Tasks that are given to a worker at a time, so that it has the next unit when it ends one."""


def matrix_bytes(problem: LinearProblem) -> int:
    """Bytes of the Gram matrix of one minibatch, with the padding of the engine ``fused``."""
    width = -(-(problem.d + 2) // 8) * 8
    return int(width**2 * problem.dtype.itemsize)


def unit_bytes(problem: LinearProblem) -> int:
    """The most bytes that the matrices of a unit may take.

    A block on disk is always read whole. So for data on disk a unit is a whole block, unless its matrices are too
    large.
    """
    return UNIT_BYTES if problem.source is None else 8 * UNIT_BYTES


def steps_of_a_unit(problem: LinearProblem) -> int:
    """Minibatches in a unit: fewer where an epoch is short, so that every worker gets some."""
    size = matrix_bytes(problem)
    most = unit_bytes(problem) // size
    if problem.source is None:
        most = min(most, max(-(-problem.steps // 16), _LEAST_UNIT_BYTES // size))
    return max(1, most)


def split_passes(
    pool: WorkerPool,
    engine: FusedEngine,
    problems: Sequence[LinearProblem],
    starts: Sequence[LaneStates | None],
) -> States:
    """Train one problem after another, yielding ``(i, states)`` as `learnrate.training.executors.Executor` says.

    Workers compute matrices ahead of the lanes, also for the next epoch and the next problem, but at most
    `UNITS_AHEAD` units each.
    """

    def all_units() -> Iterator[tuple[int, Unit]]:
        for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
            for unit in units(problem, EpochState.of(start), steps_of_a_unit(problem)):
                yield s, unit

    made = _in_order(pool, all_units())
    for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
        if not problem.horizon.reached(start):
            for state in engine.states_on(problem, start, made):
                yield s, state


def _in_order(pool: WorkerPool, wanted: Iterator[tuple[int, Unit]]) -> Iterator[tuple[Unit, Grams]]:
    """Yield all units with their matrices, in order. From another machine the next unit is fetched meanwhile."""
    known: dict[int, tuple[int, Unit]] = {}  # given to a worker or waiting to be used, by number
    made: dict[int, Any] = {}
    fetched: dict[int, Future[Any]] = {}
    again: list[int] = []
    last = following = 0
    with ThreadPoolExecutor(1, thread_name_prefix="learnrate-fetcher") as fetcher:
        while True:
            for member in pool.free(_TASKS_PER_WORKER):
                if again:
                    number = heapq.heappop(again)
                elif len(known) < UNITS_AHEAD * len(pool.ready) and (item := next(wanted, None)):
                    number, last = last, last + 1
                    known[number] = item
                else:
                    break
                pool.give(member, number, "make", *known[number])
            if not known:
                return
            for _, number, result in pool.wait(
                0 if following in fetched or following in made else 1.0
            ):
                if result is None:
                    heapq.heappush(again, number)
                else:
                    made[number] = result
            if len(pool.machines) > 1:  # on one machine fetching takes no time
                for number in (following, following + 1):
                    if number in made:
                        fetched[number] = fetcher.submit(pool.get, made.pop(number))
            if following in fetched:
                grams = fetched.pop(following).result()
            elif following in made:
                grams = pool.get(made.pop(following))
            else:
                continue
            if grams is None:
                heapq.heappush(again, following)
                continue
            yield known.pop(following)[1], Grams(*grams)
            following += 1
