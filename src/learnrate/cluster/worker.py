"""What a worker process does: it trains some lanes, or computes Gram matrices."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from learnrate._memory import share_memory
from learnrate._shapes import Array
from learnrate.cluster.connection import load_ray
from learnrate.linear.units import Unit
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates
from learnrate.version import __version__

__all__ = ["Identity", "LaneRange", "Usage", "Worker"]

_REPORT_INTERVAL_S = 0.25
_REPORT_BYTES = 1 << 26
"""A worker returns its states after so long, or when they take so many bytes."""


class LaneRange(NamedTuple):
    """Lanes ``first, …, stop − 1`` of problem ``s``, to train from the state ``start`` (None: from the beginning)."""

    s: int
    first: int
    stop: int
    start: LaneStates | None

    def lanes(self, first: int, stop: int) -> list[LaneRange]:
        """The lanes of this range from ``first`` to before ``stop``: a list of one range, or of none."""
        first, stop = max(first, self.first), min(stop, self.stop)
        if first >= stop:
            return []
        here = slice(first - self.first, stop - self.first)
        return [
            LaneRange(self.s, first, stop, None if self.start is None else self.start.take(here))
        ]


class Usage(NamedTuple):
    """Examples that a call of a worker has gone through, and the seconds it took."""

    examples: int
    seconds: float


class Identity(NamedTuple):
    """Node, process and version of learnrate of a worker."""

    node: str
    pid: int
    version: str


class Worker:
    """A Ray actor: a process on some node. All workers of a node share the arrays of the problems.

    Parameters
    ----------
    problems : sequence of Problem
        The problems of the sweep, one for each seed.
    engine : Engine
        Trains them.
    workers : dict, optional
        How many workers run on each node, by the node's id: each takes its part of the memory. Unless given, one.
    """

    def __init__(
        self, problems: Sequence[Any], engine: Engine, workers: Mapping[str, int] | None = None
    ) -> None:
        if workers:
            share_memory(workers.get(load_ray().get_runtime_context().get_node_id(), 1))
        self.problems, self.engine = problems, engine
        engine.warm_up(problems[0])
        self._states: Iterator[LaneStates] = iter(())
        self._maker: tuple[int, object] | None = None
        self._n = 0

    def hold(self, problems: Sequence[Any] | None) -> Identity:
        """Take other problems in the place of those that it has, or none."""
        self.problems, self._states, self._maker = problems or [], iter(()), None
        if problems:
            self.engine.warm_up(problems[0])
        return self.identify()

    def identify(self) -> Identity:
        """Node, process and version of this worker."""
        return Identity(socket.gethostname(), os.getpid(), __version__)

    def train(self, part: LaneRange | None) -> tuple[Usage, list[LaneStates]]:
        """Train some lanes, or go on with those of the last call, for a quarter of a second or an epoch if longer."""
        began, states, kept = time.perf_counter(), [], 0
        if part is not None:
            problem = self.problems[part.s].take(slice(part.first, part.stop))
            self._n = problem.n
            self._states = self.engine.states(problem, part.start)
        for state in self._states:
            states.append(state)
            kept += state.nbytes
            if state.begun and (
                time.perf_counter() - began > _REPORT_INTERVAL_S or kept > _REPORT_BYTES
            ):
                break
        measured = sum(state.begun and not state.between for state in states)
        return Usage(measured * self._n, time.perf_counter() - began), states

    def make(self, s: int, unit: Unit) -> tuple[Usage, tuple[Array, Array]]:
        """The Gram matrices of a unit of minibatches of problem ``s``."""
        from learnrate.linear.kernels.shared import GramMaker

        began = time.perf_counter()
        problem = self.problems[s]
        if self._maker is None or self._maker[0] != s:
            self._maker = s, GramMaker(replace(problem, lrs=problem.lrs[:1]))
        maker = self._maker[1]
        assert isinstance(maker, GramMaker)
        made = maker.make(unit)
        examples = min((unit.stop - unit.first) * problem.batch_size, problem.n)
        return Usage(examples, time.perf_counter() - began), (made.G, made.total)
