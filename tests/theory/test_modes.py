from __future__ import annotations

import itertools

import numpy as np
import pytest

from learnrate.data.order import initial_weights
from learnrate.errors import DataError, OptionError
from learnrate.theory.modes import INITIAL_SCALE, Modes, batch_variance
from tests.theory.examples import DATA, Array


@pytest.mark.parametrize("name", DATA)
def test_optimum_is_the_least_squares_solution_of_smallest_norm(name: str) -> None:
    X, y, _ = DATA[name]()
    modes = Modes(X, y)
    want = np.linalg.pinv(modes.examples.whole()) @ y
    np.testing.assert_allclose(modes.optimum, want, rtol=1e-9, atol=1e-9 * np.abs(want).max())
    assert modes.loss_at_optimum == pytest.approx(
        0.5 * np.mean((y - modes.examples.whole() @ want) ** 2), rel=1e-12, abs=1e-25
    )


def test_optimum_far_from_zero() -> None:
    """Offsets of 1e3 make the condition number 1e12; refinement still finds the optimum."""
    rng = np.random.default_rng(2)
    X = 1e3 + rng.standard_normal((200, 2))
    y = X @ [1.0, -2.0] + rng.standard_normal(200)
    modes = Modes(X, y)
    centred = np.column_stack([X - X.mean(axis=0), np.ones(200)])
    want = 0.5 * np.mean((y - centred @ np.linalg.lstsq(centred, y, rcond=None)[0]) ** 2)
    assert modes.loss_at_optimum == pytest.approx(want, rel=1e-12)


def test_with_weight_decay_the_regularised_slope_vanishes() -> None:
    X, y, _ = DATA["correlated"]()
    modes = Modes(X, y, weight_decay=0.3)
    slope = -modes.examples.whole().T @ modes.residuals / len(X)
    slope[:-1] += 0.3 * modes.optimum[:-1]
    np.testing.assert_allclose(slope, 0, atol=1e-12)
    Z = modes.Z
    np.testing.assert_allclose(modes.data_hessian, Z.T @ Z / len(X), atol=1e-12)
    np.testing.assert_allclose(modes.data_slope, Z.T @ modes.residuals / len(X), atol=1e-12)
    np.testing.assert_allclose(
        modes.decay + modes.data_hessian, np.diag(modes.eigenvalues), atol=1e-12
    )


def test_start_is_that_of_the_runs() -> None:
    X, y, _ = DATA["correlated"]()
    modes = Modes(X, y)
    starts = np.array([initial_weights(5, seed) for seed in range(4000)])
    assert starts.std() == pytest.approx(INITIAL_SCALE, rel=0.02)
    theta = np.column_stack([starts, np.zeros(len(starts))]) - modes.optimum
    delta = theta @ modes.spectrum.vectors
    m, second = modes.start()
    np.testing.assert_allclose(delta.mean(axis=0), m, atol=4 * INITIAL_SCALE / np.sqrt(4000))
    np.testing.assert_allclose(delta.T @ delta / 4000, second, atol=5e-3)
    m, second = modes.start(starts[7])
    np.testing.assert_allclose(m, delta[7])
    np.testing.assert_allclose(second, np.outer(delta[7], delta[7]))


def variance_by_enumeration(values: Array, B: int, replacement: bool) -> float:
    draws = (
        itertools.product(values, repeat=B) if replacement else itertools.combinations(values, B)
    )
    return float(np.var([np.mean(draw) for draw in draws]))


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("B", [1, 2, 3, 5])
def test_batch_variance_by_enumeration(B: int, replacement: bool) -> None:
    values = np.array([0.3, -1.0, 2.0, 0.5, 4.0])
    p = batch_variance(5, B, replacement=replacement)
    assert p * np.var(values) == pytest.approx(variance_by_enumeration(values, B, replacement))


def test_one_example_has_no_variance() -> None:
    assert batch_variance(1, 1) == 0.0


@pytest.mark.parametrize("B", [0, -1, 6])
def test_batch_size_must_fit(B: int) -> None:
    with pytest.raises(OptionError, match=rf"between 1 and the number of examples, 5\. Got {B}"):
        batch_variance(5, B)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.zeros((0, 2)), np.zeros(0)),
        (np.zeros((3, 2)), np.zeros(2)),
        (np.zeros((2, 1)), np.array([1.0, np.nan])),
        (np.array([[np.inf], [1.0]]), np.zeros(2)),
        (np.array([[1e80], [1.0]]), np.zeros(2)),
    ],
)
def test_examples_must_be_usable(X: Array, y: Array) -> None:
    with pytest.raises(DataError, match="Got"):
        Modes(X, y)


@pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf])
def test_weight_decay_must_be_usable(alpha: float) -> None:
    with pytest.raises(OptionError, match="weight_decay"):
        Modes(np.ones((2, 1)), np.ones(2), weight_decay=alpha)
