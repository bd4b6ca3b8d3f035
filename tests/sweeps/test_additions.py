"""What CONTRIBUTING says of adding a loss, an optimizer and an executor, tried: each is one class or function and one row."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, ClassVar

import numpy as np
import pytest

import learnrate
from learnrate._shapes import Array
from learnrate.data.order import epoch_order, initial_weights
from learnrate.training.executors import States
from learnrate.training.losses import LOSSES, Loss
from learnrate.training.monitor import Monitor
from learnrate.training.optimizers import OPTIMIZERS, Optimizer
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

    def close(self) -> None:
        """Processes are ended after every run."""


def test_an_executor_is_one_class() -> None:
    X, y = learnrate.note_data(100)
    options: dict[str, Any] = {"lrs": [0.01, 0.1, 0.3, 9.0], "seeds": 2, "epochs": 3}
    alone = learnrate.sweep(X, y, **options)
    spread = learnrate.sweep(X, y, cluster=Processes(2), **options)
    np.testing.assert_array_equal(spread.losses, alone.losses)
    np.testing.assert_array_equal(spread.W, alone.W)
    assert "2 processes" in spread.engine_reason


@dataclass(frozen=True)
class LogCosh(Loss):
    """``φ = log cosh r`` with ``r = z − y``, and ``φ' = tanh r``."""

    name: ClassVar[str] = "log-cosh"
    bounded: ClassVar[bool] = True
    curvature: ClassVar[float | None] = 1.0
    score: ClassVar[str] = "R²"

    @property
    def quantity(self) -> str:
        return "mean log cosh"

    def value(self, z: Array, t: Array) -> Array:
        return np.asarray(np.log(np.cosh((z - t)[:, 0])))

    def derivative(self, z: Array, t: Array) -> Array:
        return np.asarray(np.tanh(z - t))

    def second_derivative(self, z: Array, y: Array) -> Array:
        return np.asarray(1 - np.tanh(z - y[:, None])[:, :, None] ** 2)

    def fit(self, z: Array, t: Array) -> dict[str, Array]:
        return {"squared_error": ((z - t)[:, 0] ** 2).sum(axis=0)}


def plain_loop(X: Array, y: Array, lr: float, update: Any, slope: Any) -> Array:
    """``(w, b)`` after one epoch of minibatches of 10."""
    theta = np.append(initial_weights(X.shape[1], 0), 0.0)
    rows, order = np.column_stack([X, np.ones(len(X))]), epoch_order(len(X), 10, seed=0, epoch=0)
    for at in range(0, len(X), 10):
        J = order[at : at + 10]
        theta = update(theta, rows[J].T @ slope(rows[J] @ theta - y[J]) / 10, lr)
    return theta


@pytest.mark.parametrize("engine", ["reference", "rows"])
def test_a_loss_is_one_class_and_one_row(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES, "log-cosh", LogCosh)
    X, y = learnrate.note_data(100)
    result = learnrate.sweep(X, y, loss="log-cosh", lrs=[0.1, 0.5], epochs=1, engine=engine)
    for k, lr in enumerate(result.lrs):
        theta = plain_loop(X, y, lr, lambda theta, g, lr: theta - lr * g, np.tanh)
        np.testing.assert_allclose(np.append(result.W[0, k], result.b[0, k]), theta, rtol=1e-12)
    assert result.curves().quantity == "mean log cosh"


def sign_descent(ops: Any, theta: Any, g: Any, step: Any) -> None:
    """``θ ← θ − η sign(g)``"""
    ops.add_product(theta, ops.sign(g), step.lr, -1)


SIGN = Optimizer(sign_descent, None, {"weight_decay": 0.0}, lambda options: (), (1e-4, 1e-1))


@pytest.mark.parametrize("engine", ["reference", "rows"])
def test_an_optimizer_is_one_function_and_one_row(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPTIMIZERS, "sign", SIGN)
    X, y = learnrate.note_data(100)
    result = learnrate.sweep(X, y, optimizer="sign", lrs=[0.01, 0.1], epochs=1, engine=engine)
    for k, lr in enumerate(result.lrs):
        theta = plain_loop(X, y, lr, lambda theta, g, lr: theta - lr * np.sign(g), lambda r: r)
        np.testing.assert_allclose(np.append(result.W[0, k], result.b[0, k]), theta, rtol=1e-12)


@pytest.mark.extra
def test_the_same_row_serves_models_of_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    learnrate_torch: Any = learnrate.torch
    monkeypatch.setitem(OPTIMIZERS, "sign", SIGN)
    torch.manual_seed(0)
    X, y = torch.randn(40, 3), torch.randn(40, 1)
    model = torch.nn.Linear(3, 1)
    options = {"loss": "mse", "optimizer": "sign", "batch_size": 40, "epochs": 2}
    result = learnrate_torch.sweep(model, (X, y), lrs=[0.01, 0.1], **options)
    for lr in (0.01, 0.1):
        one = torch.nn.Linear(3, 1)
        one.load_state_dict(model.state_dict())
        for _ in range(2):
            one.zero_grad()
            torch.nn.functional.mse_loss(one(X), y).backward()
            with torch.no_grad():
                for p in one.parameters():
                    p -= lr * p.grad.sign()
        found = result.state_dict(lr)
        for name, value in one.state_dict().items():
            torch.testing.assert_close(found[name], value)
