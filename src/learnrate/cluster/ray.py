"""A sweep on a Ray cluster: the executor that `learnrate.sweep` is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from learnrate.cluster.connection import callers_own, load_ray, places_at
from learnrate.cluster.driver import Job
from learnrate.cluster.launch import Driver
from learnrate.cluster.split import check_split
from learnrate.engines.problem import Engine, EpochState, LinearProblem
from learnrate.errors import OptionError
from learnrate.sweeps.executors import States

__all__ = ["RayCluster", "RayExecutor"]


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
        address = callers_own() or self.cluster.address
        driver = Driver(places_at(address))
        job = Job(
            problems=[replace(problem, on_rows=None) for problem in problems],
            starts=starts,
            engine=self.engine.name,
            threads=getattr(self.engine, "threads", 1),
            address=address,
            split=self.cluster.split,
            workers=self.cluster.workers,
        )
        try:
            driver.begin(job)
            for kind, *rest in driver.replies():
                if kind == "state":
                    yield rest[0], rest[1]
                elif kind == "rows" and (tell := problems[rest[0]].on_rows) is not None:
                    tell(rest[1])
                elif kind == "message":
                    self._say(rest[0])
                elif kind == "account":
                    self.account, self.starting, self.training = rest
        finally:
            for kind, *rest in driver.close():
                if kind == "account":
                    self.account, self.starting, self.training = rest
        for line in self.account:
            self._say(f"Cluster: {line}.")

    def _say(self, message: str) -> None:
        if self.on_message is not None:
            self.on_message(message)
