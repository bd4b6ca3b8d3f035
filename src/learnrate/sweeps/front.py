"""Runs a sweep of any model: record, checkpoint, executor, progress, Ctrl-C, result."""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.errors import LearnrateWarning, OutputError
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.result import SweepResult
from learnrate.training.checkpoint import Checkpoints
from learnrate.training.executors import Executor
from learnrate.training.monitor import Monitor, Progress, SweepInterrupted
from learnrate.training.problem import Engine, Horizon, Problem
from learnrate.training.pruning import Halving
from learnrate.training.record import Record
from learnrate.training.run import train
from learnrate.training.states import LaneStates

__all__ = ["CLUSTERS", "Block", "Cluster", "Place", "Task", "as_cluster", "run_sweep"]


R = TypeVar("R", bound=SweepResult, covariant=True)


class Place(NamedTuple):
    """Where a sweep is trained: the executor, the engine's name, and why it was chosen."""

    executor: Executor
    engine: str
    reason: str


class Block(NamedTuple):
    """The lanes of a result: a range of seeds, some lanes of each, and the last measurement that is used."""

    seeds: slice
    lanes: Int[Array, " L"]
    point: int


class Task(Protocol[R]):
    """What a sweep trains. Only the task knows the model and its examples."""

    @property
    def config(self) -> SweepConfig:
        """The settings."""
        ...

    @property
    def lrs(self) -> Float[Array, " K"]:
        """Learning rates."""
        ...

    @property
    def stops(self) -> Int[Array, " points"]:
        """Steps that a lane has made at each measurement."""
        ...

    @property
    def large(self) -> bool:
        """Whether lanes may need so much memory that those which were ended should be freed."""
        ...

    @property
    def best(self) -> Sequence[str]:
        """Kinds of arrays to be kept of each lane's lowest loss; see `Record`."""
        ...

    @property
    def horizon(self) -> Horizon:
        """How long lanes are trained, and when they are measured."""
        ...

    def warmed(self) -> float:
        """The share of the run after which the schedule's warm-up has half the rate; see `schedules.warmed`."""
        ...

    def settings(self) -> dict[str, Any]:
        """All that decides the numbers, in types that JSON has; examples by their fingerprint."""
        ...

    def measure(self, states: LaneStates) -> Mapping[str, Array]:
        """Measurements in addition to those of the engine, such as the held-out loss: arrays (K,) by name."""
        ...

    def place(self, engine: str, cluster: Cluster | None, monitor: Monitor) -> Place:
        """Choose where lanes are trained, and the engine if ``engine`` is ``"auto"``."""
        ...

    def problems(self, progress: Progress) -> Sequence[Problem]:
        """One problem for each seed."""
        ...

    def contradiction(self, record: Record) -> str | None:
        """A phrase that says how a reported loss is wrong, after a second computation; None if it is right."""
        ...

    def result(
        self, record: Record, block: Block, *, engine: str, reason: str, seconds: float
    ) -> R:
        """The result of a block of lanes."""
        ...


class Cluster(Protocol):
    """Machines to train on."""

    def engine(self, name: str) -> str:
        """The engine that is used there if the user asks for ``name``."""
        ...

    def executor(self, engine: Engine, monitor: Monitor) -> Executor:
        """The executor that trains there."""
        ...


CLUSTERS = {"ray": ("learnrate.cluster.ray", "RayCluster")}
"""Module and class of each kind of cluster. The module is imported when a sweep uses it."""


_PLAINEST = "reference"
"""The engine that trains again if another was wrong."""


def as_cluster(cluster: str | Cluster | None) -> Cluster | None:
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


def run_sweep(
    task: Task[R], cluster: Cluster | None, checkpoints: Checkpoints | None, monitor: Monitor
) -> R:
    """Train all lanes of all seeds and return the result.

    With checkpoints, training continues from the newest one.

    Raises
    ------
    SweepInterrupted
        On Ctrl-C, if at least one epoch was finished, or one evaluation after the start.
    """
    config, horizon, before = task.config, task.horizon, 0.0
    record = Record(task.lrs, config.seeds, horizon, task.measure, task.best)
    settings, restored, engine = {}, None, config.engine
    if checkpoints is not None:
        settings = task.settings()
        restored = checkpoints.restore(record, settings)
    if restored is not None:
        engine, before = restored
    place = task.place(engine, cluster, monitor)
    if restored is not None:
        place = place._replace(reason="the checkpoint's")
        done = int(record.points().min(axis=1).sum())
        what = "epochs" if horizon.unit == "epoch" else "evaluations"
        monitor.say(f"Going on from the checkpoint: {done} {what} are done.")
    began = time.perf_counter() - before

    unsaved = False

    def save(due: bool) -> None:
        nonlocal unsaved
        assert checkpoints is not None
        known = {**settings, "engine": place.engine}
        try:
            checkpoints.save(record, known, time.perf_counter() - began, due=due)
        except OutputError as error:
            if checkpoints.required:
                raise
            if not unsaved:
                warnings.warn(LearnrateWarning(f"{error} The sweep goes on unsaved."), stacklevel=4)
            unsaved = True

    def result(block: Block) -> R:
        return task.result(
            record,
            block,
            engine=place.engine,
            reason="; ".join([*record.methods, place.reason, *place.executor.summary]),
            seconds=time.perf_counter() - began,
        )

    def so_far(s: int) -> R:
        measured = int(record.points()[s].min())
        return result(Block(slice(s, s + 1), record.all_lanes, measured))

    seeds = config.seed + np.arange(config.seeds)
    progress = Progress(record, task.stops, monitor, seeds, config.as_dict(), so_far)
    problems = task.problems(progress)
    try:
        train(
            problems,
            record,
            place.executor,
            progress,
            None if checkpoints is None else save,
            prune=Halving(after=task.warmed()) if config.prune else None,
            free=task.large,
        )
        wrong = None if place.engine == _PLAINEST else task.contradiction(record)
        if wrong is not None:
            _report_fault(place.engine, wrong, monitor)
            reason = f"{place.engine} reported {wrong}"
            place = task.place(_PLAINEST, None, monitor)._replace(reason=reason)
            record = Record(task.lrs, config.seeds, horizon, task.measure)
            progress.record = record
            train(problems, record, place.executor, progress)
    except KeyboardInterrupt:
        block = Block(*record.finished())
        if not block.point:
            raise
        raise SweepInterrupted(result(block)) from None
    return result(Block(slice(0, config.seeds), record.all_lanes, horizon.points - 1))


def _report_fault(engine: str, wrong: str, monitor: Monitor) -> None:
    """Tell the monitor, or warn if it has no callback for messages."""
    sentence = (
        f"The engine {engine} reported {wrong}: that is a fault of learnrate. The engine {_PLAINEST} trains all "
        "rates again, slowly; please report what kind of table this is."
    )
    if monitor.on_message is None:
        warnings.warn(sentence, stacklevel=4)
    monitor.say(sentence)
