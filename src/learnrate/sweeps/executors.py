"""Where the seeds of a sweep are trained: one after another, or several at the same time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from learnrate.engines.problem import Engine, EpochState, LinearProblem

__all__ = ["Executor", "LocalExecutor", "States"]

States = Generator[tuple[int, EpochState], None, None]
"""``(s, state)`` for the states of problem ``s``. Closing it ends the training."""


class Executor(Protocol):
    """Trains the problems of a sweep, one for each seed, which do not depend on one another."""

    def run(self, problems: Sequence[LinearProblem], starts: Sequence[EpochState | None]) -> States:
        """Train, yielding ``(s, state)`` for every state that `Engine.epochs` yields for problem ``s``.

        The states of one problem come in order, those of different problems in any. With a start that is
        not None, training of that problem goes on from it.
        """
        ...


@dataclass(frozen=True)
class LocalExecutor:
    """Trains in this process.

    Attributes
    ----------
    engine : Engine
    at_once : int
        Seeds trained at the same time, on threads. It pays for an engine that lets go of Python's lock.
    """

    engine: Engine
    at_once: int = 1

    def run(self, problems: Sequence[LinearProblem], starts: Sequence[EpochState | None]) -> States:
        """Train; see `Executor`."""
        if self.at_once > 1 and len(problems) > 1:
            yield from self._on_threads(problems, starts)
            return
        for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
            for state in self.engine.epochs(problem, start):
                yield s, state

    def _on_threads(
        self, problems: Sequence[LinearProblem], starts: Sequence[EpochState | None]
    ) -> States:
        """Whoever asks for the states gets them on its own thread, through a queue."""
        states: queue.SimpleQueue[tuple[int, EpochState | None]] = queue.SimpleQueue()
        leaving = threading.Event()

        def train(s: int) -> None:
            try:
                for state in self.engine.epochs(problems[s], starts[s]):
                    if leaving.is_set():
                        return
                    states.put((s, state))
            finally:
                states.put((s, None))

        with ThreadPoolExecutor(self.at_once) as pool:
            trained = [pool.submit(train, s) for s in range(len(problems))]
            try:
                for _ in trained:
                    while (item := states.get())[1] is not None:
                        yield item[0], item[1]
                    trained[item[0]].result()
            finally:
                leaving.set()
                pool.shutdown(wait=False, cancel_futures=True)
