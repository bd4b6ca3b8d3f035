"""What CONTRIBUTING says of adding an executor, tried: one class, and nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np

import learnrate
from learnrate.training.executors import States
from learnrate.training.monitor import Monitor
from learnrate.training.problem import Engine, Problem
from learnrate.training.states import LaneStates


def train(engine: Engine, problem: Problem, start: LaneStates | None) -> list[LaneStates]:
    return list(engine.states(problem, start))


@dataclass
class Processes:
    """Trains lanes in a pool of processes: a `learnrate.sweeps.front.Cluster` and its executor in one."""

    workers: int
    summary: list[str] = field(default_factory=list)

    def engine(self, name: str) -> str:
        return name

    def executor(self, engine: Engine, monitor: Monitor) -> Processes:
        self._engine = engine.alone()
        return self

    def run(self, problems: Sequence[Problem], starts: Sequence[LaneStates | None]) -> States:
        with ProcessPoolExecutor(self.workers, mp_context=get_context("spawn")) as pool:
            parts = [
                (
                    i,
                    lanes,
                    pool.submit(
                        train, self._engine, problems[i].take(lanes), start and start.take(lanes)
                    ),
                )
                for i, start in enumerate(starts)
                for lanes in np.array_split(np.arange(len(problems[i].lrs)), self.workers)
            ]
            for i, lanes, part in parts:
                for states in part.result():
                    yield i, LaneStates(**{**vars(states), "lanes": lanes})
        self.summary = [f"lanes were trained in {self.workers} processes"]


def test_an_executor_is_one_class() -> None:
    X, y = learnrate.note_data(100)
    options: dict[str, Any] = {"lrs": [0.01, 0.1, 0.3, 9.0], "seeds": 2, "epochs": 3}
    alone = learnrate.sweep(X, y, **options)
    spread = learnrate.sweep(X, y, cluster=Processes(2), **options)
    np.testing.assert_array_equal(spread.losses, alone.losses)
    np.testing.assert_array_equal(spread.W, alone.W)
    assert "2 processes" in spread.engine_reason
