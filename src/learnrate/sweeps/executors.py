"""Where the seeds of a sweep are trained: one after another, or several at the same time."""

from __future__ import annotations

import importlib
import queue
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, cast

from learnrate.engines.problem import Engine, EpochState, LinearProblem

__all__ = ["CLUSTERS", "Cluster", "Executor", "LocalExecutor", "States", "as_cluster"]

States = Generator[tuple[int, EpochState], None, None]
"""``(s, state)`` for the states of problem ``s``. Closing it ends the training."""


class Executor(Protocol):
    """Trains the problems of a sweep, one for each seed, which do not depend on one another."""

    @property
    def account(self) -> list[str]:
        """Once it has trained, what there is to say of where that was."""
        ...

    def run(self, problems: Sequence[LinearProblem], starts: Sequence[EpochState | None]) -> States:
        """Train, yielding ``(s, state)`` for every state that `Engine.epochs` yields for problem ``s``.

        The states of one problem come in order, those of different problems in any. With a start that is
        not None, training of that problem goes on from it.
        """
        ...


class Cluster(Protocol):
    """Machines to train on."""

    def engine(self, name: str) -> str:
        """The engine to ask for there where ``name`` is asked for."""
        ...

    def executor(
        self, engine: Engine, on_message: Callable[[str], object] | None = None
    ) -> Executor:
        """What trains there."""
        ...


CLUSTERS = {"ray": ("learnrate.cluster.ray", "RayCluster")}
"""Where each kind of cluster is found. A module is imported when a sweep asks for it: this room knows of a
cluster what `Cluster` says and no more, so a row names what stands above it, as a plug-in is named."""


def as_cluster(cluster: str | Cluster) -> Cluster:
    """The Ray cluster at an address (``"local"``, ``"auto"``, ``"host:port"``), or what was given.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    """
    if not isinstance(cluster, str):
        return cluster
    module, name = CLUSTERS["ray"]
    return cast(Cluster, getattr(importlib.import_module(module), name)(cluster))


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

    @property
    def account(self) -> list[str]:
        """Nothing: it was here."""
        return []

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
