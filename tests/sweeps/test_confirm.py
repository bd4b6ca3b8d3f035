"""The last look at a sweep: an engine that reports what its weights do not give is found out, and another trains again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import learnrate
from learnrate._shapes import Array
from learnrate.linear.gram import GramEngine
from learnrate.linear.problem import EpochState, LinearProblem


@pytest.fixture
def faulty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine gram reports so many times the loss after training; its weights are right."""
    whole = GramEngine.states

    def states(self: Any, problem: LinearProblem, start: Any = None) -> Iterator[EpochState]:
        for state in whole(self, problem, start):
            with np.errstate(all="ignore"):
                state.measured["loss"][:] *= request.param if state.epoch else 1.0
            yield state

    monkeypatch.setattr(GramEngine, "states", states)


def examples(n: int, d: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d))
    return X, X.sum(axis=1) + rng.standard_normal(n)


@pytest.mark.parametrize("faulty", [0.0, 0.5, 1 + 1e-6, 1e9, np.nan], indirect=True)
@pytest.mark.parametrize("seeds", [1, 2])
def test_a_loss_that_weights_do_not_give_is_found_out(faulty: None, seeds: int) -> None:
    X, y = examples(300, 4)
    options: dict[str, Any] = {"lrs": [0.01, 0.1, 1e9], "epochs": 2, "seeds": seeds}
    right = learnrate.sweep(X, y, engine="reference", **options)
    said: list[str] = []
    monitor = learnrate.Monitor(on_message=said.append)
    ours = learnrate.sweep(X, y, engine="gram", monitor=monitor, **options)
    np.testing.assert_array_equal(ours.losses, right.losses)
    assert ours.engine == "reference"
    assert ours.engine_reason.startswith("gram reported ")
    assert len(said) == 1
    with pytest.warns(UserWarning, match="a fault of learnrate"):
        learnrate.sweep(X, y, engine="gram", **options)


@pytest.mark.parametrize("faulty", [0.0, 1e9], indirect=True)
def test_of_many_examples_some_are_looked_at(faulty: None) -> None:
    X, y = examples(20_000, 5)
    with pytest.warns(UserWarning, match="a fault of learnrate"):
        ours = learnrate.sweep(X, y, lrs=[0.01], epochs=1, batch_size=1000, engine="gram")
    assert ours.engine == "reference"


@pytest.mark.parametrize("faulty", [1e9], indirect=True)
def test_of_a_table_larger_than_memory_too(faulty: None, tmp_path: Path) -> None:
    X, y = examples(3000, 3)
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
    frame.write_parquet(tmp_path / "table.parquet")
    memory = learnrate.OutOfCore("16MB", block_size=1000, cache=tmp_path / "cache")
    options: dict[str, Any] = {"target": "y", "lrs": [0.01, 0.1], "epochs": 2, "batch_size": 50}
    table = str(tmp_path / "table.parquet")
    with pytest.warns(UserWarning, match="a fault of learnrate"):
        ours = learnrate.sweep(table, engine="gram", memory=memory, **options)
    right = learnrate.sweep(table, engine="fused", memory=memory, **options)
    np.testing.assert_allclose(ours.losses, right.losses, rtol=1e-9)


@pytest.mark.parametrize(
    ("lrs", "X", "y"),
    [
        ([10.0, 1e9], *examples(100, 3)),  # all diverge
        ([0.3], np.eye(8, 3), np.arange(8.0) @ np.eye(8, 3) @ np.eye(3, 8)),  # fitted exactly
        ([0.1], np.full((20, 2), 1e8), np.full(20, 1e9)),
        ([0.1], np.zeros((20, 2)), np.zeros(20)),
        ([0.01], *(1e3 * np.exp(3 * array) for array in examples(30_000, 2))),  # one row rules
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_right_is_left_alone(lrs: list[float], X: Array, y: Array, dtype: str) -> None:
    """A warning would be an error."""
    for engine in ("gram", "fused"):
        ours = learnrate.sweep(X, y, lrs=lrs, epochs=3, batch_size=8, engine=engine, dtype=dtype)
        assert ours.engine == engine
