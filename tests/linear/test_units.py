"""Gram matrices made elsewhere: the lanes come out the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from learnrate.data.order import Sampling
from learnrate.linear.fused import FusedEngine
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.units import Grams, Unit, units
from tests.contract.problems import make_problem


def elsewhere(
    problem: LinearProblem, start: EpochState | None, most: int
) -> Iterator[tuple[Unit, Grams]]:
    from learnrate.linear.kernels.shared import GramMaker

    maker = GramMaker(replace(problem, lrs=problem.lrs[:1]))
    for unit in units(problem, start, most):
        yield unit, maker.make(unit)


def assert_same(alone: list[EpochState], shared: list[EpochState]) -> None:
    """Parameters and velocities to the last bit, losses to the order of their sums."""
    assert [state.epoch for state in alone] == [state.epoch for state in shared]
    for one, other in zip(alone, shared, strict=True):
        for name in ("W", "b", "V", "vb"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("most", [1, 7, 1000])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.9, "weight_decay": 0.01},
        {"sampling": Sampling.INDEPENDENT},
        {"block_size": 100},
    ],
    ids=str,
)
def test_training_on_shared_grams_is_training(dtype: str, most: int, options: object) -> None:
    problem = replace(make_problem(700, 20, 32, 20, 3, dtype=dtype), **options)  # type: ignore[arg-type]
    engine = FusedEngine(threads=2 if most == 7 else 1)
    alone = list(engine.states(problem))
    shared = list(engine.states_on(problem, None, elsewhere(problem, None, most)))
    if dtype == "float64":
        assert_same(alone, shared)
    for start in alone[:-1]:
        resumed = list(engine.states_on(problem, start, elsewhere(problem, start, most)))
        np.testing.assert_array_equal(resumed[-1].W, shared[-1].W)
        np.testing.assert_array_equal(resumed[-1].b, shared[-1].b)


def test_features_far_from_the_origin() -> None:
    problem = make_problem(300, 5, 20, 8, 2)
    problem = replace(problem, X=problem.X + 1000.0)
    shared = FusedEngine().states_on(problem, None, elsewhere(problem, None, 4))
    assert_same(list(FusedEngine().states(problem)), list(shared))


def test_lanes_move_by_the_units_alone() -> None:
    """Even where the examples are few and at hand."""
    problem = make_problem(60, 2, 7, 3, 4)
    made = elsewhere(problem, None, 4)
    assert len(list(FusedEngine().states_on(problem, None, made))) == 5
    assert next(made, None) is None


def test_units_cover_every_step_once_and_in_order() -> None:
    problem = replace(make_problem(700, 3, 32, 2, 2), block_size=100)
    for epoch in range(2):
        steps = [
            unit.step + i
            for unit in units(problem, None, 3)
            if unit.epoch == epoch
            for i in range(unit.stop - unit.first)
        ]
        assert steps == list(range(problem.steps))
