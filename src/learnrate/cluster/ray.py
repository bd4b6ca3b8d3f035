"""A sweep on a Ray cluster: the executor that `learnrate.sweep` is given."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from learnrate.cluster.connection import connected, load_ray
from learnrate.cluster.crew import Crew
from learnrate.cluster.lanes import split_lanes
from learnrate.cluster.passes import AHEAD, split_passes, unit_bytes
from learnrate.cluster.split import check_split, choose_split
from learnrate.engines.fused import FusedEngine, gram_pays, numba_works
from learnrate.engines.problem import Engine, EpochState, LinearProblem
from learnrate.errors import OptionError
from learnrate.sweeps.executors import States

__all__ = ["RayCluster", "RayExecutor"]

_SLACK = 1 << 27


class RayCluster:
    """Machines to sweep on.

    Parameters
    ----------
    address : str
        ``"local"`` for workers on this machine's CPUs, ``"auto"`` for the Ray cluster that runs here, or the
        ``host:port`` of its head.
    split : {"lanes", "data"}, optional
        What workers share out; see `learnrate.cluster.split`. By itself the one that is estimated to be quicker.
    workers : int, optional
        At most so many; a worker for every CPU of the cluster unless given.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    OptionError
        If an argument cannot be used.
    """

    def __init__(
        self, address: str = "local", *, split: str | None = None, workers: int | None = None
    ) -> None:
        check_split(split)
        if workers is not None and workers < 1:
            raise OptionError(f"workers must be 1 or more. Got {workers} instead.")
        self.address, self.split, self.workers = address, split, workers
        load_ray()

    def engine(self, name: str) -> str:
        """The engine to ask for where ``name`` is asked for: splitting the data takes ``fused``."""
        if self.split != "data":
            return name
        if name not in ("auto", "fused"):
            raise OptionError(
                f"engine must be auto or fused to split the data over a cluster. Got {name!r} instead; "
                "or use --cluster-split lanes."
            )
        return "fused"

    def executor(
        self, engine: Engine, on_message: Callable[[str], object] | None = None
    ) -> RayExecutor:
        """What trains a sweep's seeds here."""
        return RayExecutor(self, engine, on_message)


@dataclass(eq=False)
class RayExecutor:
    """Trains on the workers of a cluster; see `learnrate.sweeps.executors.Executor`.

    Attributes
    ----------
    account : list of str
        Once it has trained: how it was split, and a line for each worker.
    starting, training : float
        Seconds until the workers were ready, and from then to the last state.
    """

    cluster: RayCluster
    engine: Engine
    on_message: Callable[[str], object] | None = None
    account: list[str] = field(default_factory=list)
    starting: float = 0.0
    training: float = 0.0

    def run(self, problems: Sequence[LinearProblem], starts: Sequence[EpochState | None]) -> States:
        """Train, yielding ``(s, state)``.

        Raises
        ------
        ClusterError
            If there is no cluster, its head is lost, or its workers die again and again.
        """
        if not problems:
            return
        began = time.perf_counter()
        cpus = self.cluster.workers or os.cpu_count() or 1
        examples = problems[0].X.nbytes + problems[0].y.nbytes
        store = _SLACK + 5 * examples // 4 + 2 * AHEAD * unit_bytes(problems[0]) * cpus
        with connected(self.cluster.address, cpus=cpus, store=store) as connection:
            crew = Crew(
                connection,
                problems,
                self.engine.name,
                at_most=self.cluster.workers,
                on_message=self.on_message,
            )
            try:
                self.starting = time.perf_counter() - began
                split = self._split(problems, len(crew.ready))
                with closing(self._states(split, crew, problems, starts)) as states:
                    yield from states
            finally:
                self.training = time.perf_counter() - began - self.starting
                crew.close()
                self.account = crew.account()
        self.account[0] = f"{split} split over {self.account[0]}, ready in {self.starting:.1f} s"
        if self.on_message is not None:
            for line in self.account:
                self.on_message(f"Cluster: {line}.")

    def _split(self, problems: Sequence[LinearProblem], workers: int) -> str:
        first = problems[0]
        if not numba_works():
            return "lanes"
        if self.cluster.split is None:
            return choose_split(first, len(problems), workers, self.engine.name)
        if self.cluster.split == "data" and not gram_pays(first.d, first.batch_size, first.lanes):
            raise OptionError(
                "--cluster-split data is for training through Gram matrices. Got "
                f"{first.d} features and a batch size of {first.batch_size}, for which rows are quicker; use "
                "--cluster-split lanes, or a larger batch size."
            )
        return self.cluster.split

    def _states(
        self,
        split: str,
        crew: Crew,
        problems: Sequence[LinearProblem],
        starts: Sequence[EpochState | None],
    ) -> States:
        if split == "data" and isinstance(self.engine, FusedEngine):
            return split_passes(crew, self.engine, problems, starts)
        return split_lanes(crew, problems, starts)
