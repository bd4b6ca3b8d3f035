"""Executors, which decide where problems are trained, and the one for this process, with or without threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from learnrate.training.problem import Engine, Problem
from learnrate.training.states import LaneStates

__all__ = ["Executor", "LocalExecutor", "States"]

States = Generator[tuple[int, LaneStates], None, None]
"""Yields ``(i, states)`` for the states of problem ``i``. Closing it ends the training."""


class Executor(Protocol):
    """Trains the problems of a sweep, which are independent: one after another, on threads, on a cluster."""

    @property
    def summary(self) -> list[str]:
        """After the training: sentences for the user about where it ran; empty if there are none."""
        ...

    def run(self, problems: Sequence[Problem], starts: Sequence[LaneStates | None]) -> States:
        """Train, yielding ``(i, states)`` for each state that `Engine.states` yields for problem ``i``.

        The states of one lane come in order; those of different problems may come in any order. Problem ``i`` is
        continued from ``starts[i]``, or begun if that is None.
        """
        ...

    def close(self) -> None:
        """End what is kept from one call of `run` to the next, such as processes."""
        ...


@dataclass(frozen=True)
class LocalExecutor:
    """Trains problems in this process.

    Attributes
    ----------
    engine : Engine
        The engine that trains them.
    at_once : int
        Problems trained at the same time, on threads. Faster only with an engine that releases Python's global lock.
    """

    engine: Engine
    at_once: int = 1

    @property
    def summary(self) -> list[str]:
        """Empty."""
        return []

    def run(self, problems: Sequence[Problem], starts: Sequence[LaneStates | None]) -> States:
        """Train, yielding ``(i, states)`` for each state of problem ``i``, from ``starts[i]``."""
        if self.at_once > 1 and len(problems) > 1:
            yield from self._on_threads(problems, starts)
            return
        for i, (problem, start) in enumerate(zip(problems, starts, strict=True)):
            for state in self.engine.states(problem, start):
                yield i, state

    def close(self) -> None:
        """Nothing is kept."""

    def _on_threads(
        self, problems: Sequence[Problem], starts: Sequence[LaneStates | None]
    ) -> States:
        """Train on threads, which put their states into a queue; they are yielded on the caller's thread."""
        states: queue.SimpleQueue[tuple[int, LaneStates | None]] = queue.SimpleQueue()
        stopped = threading.Event()

        def train(i: int) -> None:
            try:
                for state in self.engine.states(problems[i], starts[i]):
                    if stopped.is_set():
                        return
                    states.put((i, state))
            finally:
                states.put((i, None))

        with ThreadPoolExecutor(self.at_once) as pool:
            trained = [pool.submit(train, i) for i in range(len(problems))]
            try:
                for _ in trained:
                    while (item := states.get())[1] is not None:
                        yield item[0], item[1]
                    trained[item[0]].result()
            finally:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
