"""The executor that trains on a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from learnrate.cluster.connection import addresses_at, callers_address, load_ray
from learnrate.cluster.driver import Job
from learnrate.cluster.launch import Driver
from learnrate.cluster.split import check_split
from learnrate.errors import OptionError, option
from learnrate.training.executors import States
from learnrate.training.monitor import Monitor
from learnrate.training.problem import Engine, Problem
from learnrate.training.states import LaneStates

__all__ = ["RayCluster", "RayExecutor"]


class RayCluster:
    """A Ray cluster to sweep on, for the option ``cluster`` of `learnrate.sweep` and `learnrate.torch.sweep`.

    Parameters
    ----------
    address : str
        ``"local"`` for workers on this machine's CPUs, ``"auto"`` for the Ray cluster that runs here, or the
        ``host:port`` of its head.
    split : {"lanes", "data"}, optional
        ``"lanes"``: each worker trains some lanes on all examples. ``"data"``: workers compute the Gram matrices of
        different minibatches, for the engine ``fused`` alone. Unless given, the one that is estimated to be faster.
    workers : int, optional
        The most workers to start. Unless given, one for every CPU of the cluster, or for every GPU where the sweep's
        ``device`` is ``"cuda"``.

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
        """The engine to use where the user asks for ``name``: splitting the data needs ``fused``."""
        if self.split != "data":
            return name
        if name not in ("auto", "fused"):
            raise OptionError(
                f"{option('engine')} must be auto or fused to split the data over a cluster. Got {name!r} instead; "
                f"or use {option('cluster_split', 'lanes')}."
            )
        return "fused"

    def executor(self, engine: Engine, monitor: Monitor | None = None) -> RayExecutor:
        """The executor that trains a sweep's problems on this cluster."""
        return RayExecutor(self, engine, monitor or Monitor())


@dataclass(eq=False)
class RayExecutor:
    """Trains problems on the workers of a Ray cluster: a `learnrate.training.executors.Executor`.

    Attributes
    ----------
    summary : list of str
        After `close`: how the training was split, and a line for each worker.
    starting, training : float
        Seconds until the workers were ready, and from then to the end of the training.
    """

    cluster: RayCluster
    engine: Engine
    monitor: Monitor = field(default_factory=Monitor)
    summary: list[str] = field(default_factory=list)
    starting: float = 0.0
    training: float = 0.0
    _driver: Driver | None = field(default=None, init=False)

    def run(self, problems: Sequence[Problem], starts: Sequence[LaneStates | None]) -> States:
        """Train, yielding ``(i, states)`` for each state of problem ``i``. Workers are kept for the next call, until `close`.

        Raises
        ------
        ClusterError
            If there is no cluster, its head is lost, or workers die again and again.
        """
        if not problems:
            return
        address = callers_address() or self.cluster.address
        if self._driver is None:
            self._driver = Driver(addresses_at(address))
        job = Job(
            problems=problems,
            starts=starts,
            engine=self.engine.listened_to(None),
            address=address,
            split=self.cluster.split,
            workers=self.cluster.workers,
        )
        done = False
        try:
            self._driver.begin(job)
            for kind, *rest in self._driver.replies():
                if kind == "state":
                    yield rest[0], rest[1]
                elif kind == "rows":
                    problems[rest[0]].tell(rest[1])
                elif kind == "message":
                    self.monitor.say(rest[0])
            done = True
        finally:
            if not done:
                self.close()

    def close(self) -> None:
        """End the workers and the connection to Ray."""
        driver, self._driver = self._driver, None
        if driver is None:
            return
        for kind, *rest in driver.close():
            if kind == "summary":
                self.summary, self.starting, self.training = rest
                for line in self.summary:
                    self.monitor.say(f"Cluster: {line}.")
