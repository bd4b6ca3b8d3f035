"""What a worker process does: it trains some lanes, or makes Gram matrices for them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from learnrate import __version__
from learnrate._shapes import Array
from learnrate.engines.choose import get_engine
from learnrate.engines.fused import FusedEngine, gram_pays
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.engines.units import Unit

__all__ = ["Effort", "Part", "Self", "Worker", "part_of"]

_LEG = 0.25
"""Seconds after which a worker hands over the states it has."""
_LEG_BYTES = 1 << 26


class Part(NamedTuple):
    """Lanes ``first, …, stop − 1`` of problem ``s``, from a state of theirs on."""

    s: int
    first: int
    stop: int
    start: EpochState | None


class Effort(NamedTuple):
    """Examples that a call has gone through, and the seconds it took."""

    examples: int
    seconds: float


class Self(NamedTuple):
    """Who a worker is."""

    node: str
    pid: int
    version: str


class Worker:
    """Lives in a process of its own on some node; the problems' arrays are the node's shared ones."""

    def __init__(self, problems: Sequence[LinearProblem], engine: str) -> None:
        self.problems, self.engine = problems, get_engine(engine)
        if isinstance(self.engine, FusedEngine):
            first = problems[0]  # kernels are loaded before there is anything to wait for them
            self.engine.prepare(first.dtype, gram_pays(first.d, first.batch_size, first.lanes))
        self._states: Iterator[EpochState] = iter(())
        self._maker: tuple[int, object] | None = None
        self._n = 0

    def hello(self) -> Self:
        """Who this is."""
        return Self(socket.gethostname(), os.getpid(), __version__)

    def train(self, part: Part | None) -> tuple[Effort, list[EpochState]]:
        """Begin with a part, or go on with the last one, for a moment or an epoch, which is longer."""
        began, states, kept = time.perf_counter(), [], 0
        if part is not None:
            problem = part_of(self.problems[part.s], part.first, part.stop)
            self._n = problem.n
            self._states = self.engine.epochs(problem, part.start)
        for state in self._states:
            states.append(state)
            kept += state.W.nbytes * (1 if state.V is None else 2)
            if state.epoch and (time.perf_counter() - began > _LEG or kept > _LEG_BYTES):
                break
        epochs = sum(state.epoch > 0 for state in states)
        return Effort(epochs * self._n, time.perf_counter() - began), states

    def make(self, s: int, unit: Unit) -> tuple[Effort, tuple[Array, Array]]:
        """The Gram matrices of a unit of problem ``s``."""
        from learnrate.engines.kernels.shared import GramMaker

        began = time.perf_counter()
        problem = self.problems[s]
        if self._maker is None or self._maker[0] != s:
            self._maker = s, GramMaker(replace(problem, lrs=problem.lrs[:1]))
        maker = self._maker[1]
        assert isinstance(maker, GramMaker)
        made = maker.make(unit)
        examples = min((unit.stop - unit.first) * problem.batch_size, problem.n)
        return Effort(examples, time.perf_counter() - began), (made.G, made.total)


def part_of(problem: LinearProblem, first: int, stop: int) -> LinearProblem:
    """Some lanes of a problem, trained the way they would be in the whole."""
    return replace(problem, lrs=problem.lrs[first:stop], whole=problem.lanes)
