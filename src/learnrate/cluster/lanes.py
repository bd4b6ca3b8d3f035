"""Splitting the lanes: each worker trains some lanes of a seed on all examples."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from learnrate.cluster.pool import WorkerPool
from learnrate.cluster.worker import LaneRange
from learnrate.training.executors import States
from learnrate.training.problem import Problem
from learnrate.training.states import LaneStates

__all__ = ["cut", "split_lanes"]


class Assignment(NamedTuple):
    """The lanes that a worker trains.

    Attributes
    ----------
    first, stop : int
        The range of lanes given to it. The worker numbers them from 0.
    left : tuple of LaneRange
        Lanes that are not finished, each range with its latest state. There are several ranges where the lanes do
        not all fit in memory: the worker then trains some to the end before others.
    """

    first: int
    stop: int
    left: tuple[LaneRange, ...]

    @classmethod
    def of(cls, part: LaneRange) -> Assignment:
        """The assignment of a range of lanes to a worker, before it has begun."""
        return cls(part.first, part.stop, (part,))

    def after(self, state: LaneStates) -> tuple[Assignment, LaneStates]:
        """What is left after a state, and that state with the lanes numbered as in the problem."""
        here = np.arange(self.first, self.stop)
        lanes = here if state.lanes is None else here[state.lanes]
        first, stop = int(lanes[0]), int(lanes[-1]) + 1
        left: list[LaneRange] = []
        for part in self.left:
            left += [*part.lanes(part.first, first), *part.lanes(stop, part.stop)]
        left.append(LaneRange(self.left[0].s, first, stop, state))
        left.sort(key=lambda part: part.first)
        return self._replace(left=tuple(left)), state.numbered(lanes)


def split_lanes(
    pool: WorkerPool, problems: Sequence[Problem], starts: Sequence[LaneStates | None]
) -> States:
    """Train all problems, yielding ``(i, states)`` as `learnrate.training.executors.Executor` says.

    A worker returns its states every quarter of a second, or after each epoch if that is longer. If a worker is lost,
    another one continues its lanes from the last states. A worker without work gets some lanes of another worker.
    """
    multiple = pool.engine.lanes_per_vector
    pieces = -(-max(1, len(pool.ready)) // len(problems)) if problems else 1
    waiting: deque[LaneRange] = deque()
    for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
        if not problem.horizon.reached(start):
            waiting += cut(LaneRange(s, 0, problem.lrs.size, start), pieces, multiple)
    while waiting or any(member.tasks for member in pool.members):
        for member in pool.free():
            if not waiting:
                break
            part = waiting.popleft()
            pool.give(member, Assignment.of(part), "train", part)
        ready: list[tuple[int, LaneStates]] = []
        for member, given, result in pool.wait(1.0):
            states = None if result is None else pool.get(result)
            if not states:
                waiting.extendleft(reversed(given.left))
                continue
            s = given.left[0].s
            for state in states:
                given, numbered = given.after(state)
                ready.append((s, numbered))
            horizon = problems[s].horizon
            left = [part for part in given.left if not horizon.reached(part.start)]
            if not left:
                continue
            given = given._replace(left=tuple(left))
            idle = len(pool.ready) - sum(bool(m.tasks) for m in pool.ready) - 1
            shares = left if len(left) > 1 else cut(left[0], 2, multiple)
            to_do = (
                horizon.points - 1 - (0 if left[0].start is None else horizon.passed(left[0].start))
            )
            if idle > 0 and not waiting and to_do > 1 and len(shares) > 1:
                waiting += shares
            else:
                pool.give(member, given, "train", None)
        yield from ready


def cut(part: LaneRange, pieces: int, multiple: int) -> list[LaneRange]:
    """Cut a range into at most ``pieces`` ranges; all but the last have a multiple of ``multiple`` lanes."""
    blocks = -(-(part.stop - part.first) // multiple)
    pieces = min(pieces, blocks)
    edges = [
        min(part.stop, part.first + multiple * (blocks * i // pieces)) for i in range(pieces + 1)
    ]
    return [piece for first, stop in pairwise(edges) for piece in part.lanes(first, stop)]
