"""The reference engine against a plain NumPy loop."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from learnrate._shapes import Array
from learnrate.data import Sampling, synthetic_data
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.reference import ReferenceEngine
from learnrate.training.schedules import schedule_multipliers
from tests.linear.oracle import numpy_loop


def problem(
    n: int = 23, d: int = 3, dtype: str = "float64", epochs: int = 3, **options: Any
) -> LinearProblem:
    X, y = synthetic_data(np.arange(1.0, d + 1), 0.5, n, noise=0.1, seed=7)
    return LinearProblem(
        X.astype(dtype),
        y.astype(dtype),
        np.array([0.01, 0.1, 0.3]),
        options.pop("batch_size", 4),
        epochs,
        **options,
    )


def curves(states: list[EpochState]) -> Array:
    return np.array([state.loss for state in states]).T


STEPS = 3 * 6
VARIANTS = {
    "the note": {},
    "independent": {"sampling": Sampling.INDEPENDENT},
    "momentum": {"momentum": 0.9},
    "decay": {"weight_decay": 0.05},
    "both": {"momentum": 0.5, "weight_decay": 0.2, "seed": 3},
    "cosine": {"multipliers": schedule_multipliers("cosine", STEPS)},
    "all": {
        "multipliers": schedule_multipliers("inverse-time", STEPS),
        "momentum": 0.8,
        "weight_decay": 0.01,
        "sampling": Sampling.INDEPENDENT,
    },
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_it_equals_the_plain_loop(options: dict[str, Any]) -> None:
    given = problem(**options)
    states = list(ReferenceEngine().states(given))
    losses, W, b, _ = numpy_loop(given)
    assert [state.epoch for state in states] == [0, 1, 2, 3]
    np.testing.assert_allclose(curves(states), losses, rtol=1e-12)
    np.testing.assert_allclose(states[-1].W, W, rtol=1e-11)
    np.testing.assert_allclose(states[-1].b, b, rtol=1e-11)


@pytest.mark.parametrize("batch_size", [1, 23])
def test_the_smallest_and_the_largest_batch(batch_size: int) -> None:
    given = problem(batch_size=batch_size)
    np.testing.assert_allclose(
        curves(list(ReferenceEngine().states(given))), numpy_loop(given)[0], rtol=1e-11
    )


def test_float32_trains_in_float32() -> None:
    single, double = problem(dtype="float32"), problem()
    states = list(ReferenceEngine().states(single))
    assert states[-1].W.dtype == np.float64
    assert (states[-1].W.astype(np.float32) == states[-1].W).all()
    np.testing.assert_allclose(curves(states), numpy_loop(single)[0], rtol=1e-4)
    np.testing.assert_allclose(curves(states), numpy_loop(double)[0], rtol=1e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_it_goes_on_from_any_epoch_to_the_same_bits(momentum: float, at: int) -> None:
    given = problem(momentum=momentum, weight_decay=0.1, epochs=4)
    whole = list(ReferenceEngine().states(given))
    rest = list(ReferenceEngine().states(given, start=whole[at]))
    assert [state.epoch for state in rest] == list(range(at + 1, 5))
    np.testing.assert_array_equal(curves(rest), curves(whole[at + 1 :]))
    np.testing.assert_array_equal(rest[-1].W, whole[-1].W)


def test_a_lane_that_diverges_is_quiet_and_disturbs_no_other() -> None:
    calm = problem(epochs=12)
    wild = replace(calm, lrs=np.array([0.01, 1e200, 0.1, 50.0, 0.3]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        states = list(ReferenceEngine().states(wild))
    assert not np.isfinite(states[-1].loss[1])
    np.testing.assert_array_equal(
        curves(states)[[0, 2, 4]], curves(list(ReferenceEngine().states(calm)))
    )


def test_states_do_not_share_memory_and_inputs_stay_as_they_are() -> None:
    given = problem()
    X, y = given.X.copy(), given.y.copy()
    states = list(ReferenceEngine().states(given))
    assert not np.array_equal(states[0].W, states[1].W)
    assert (states[0].V, states[0].vb) == (None, None)
    np.testing.assert_array_equal(given.X, X)
    np.testing.assert_array_equal(given.y, y)
