from __future__ import annotations

import itertools

import numpy as np
import pytest

from learnrate.theory import second_moments
from learnrate.theory.expected_curve import independent_curve, independent_floor
from learnrate.theory.mean_square import mean_square_limit
from learnrate.theory.modes import INITIAL_SCALE, Modes, batch_variance
from learnrate.theory.quantity import Kind
from tests.theory.examples import DATA, Array, gauss_hermite, without_bias
from tests.theory.simulate import simulate


def by_enumeration(
    X: Array, y: Array, lr: float, B: int, epochs: int, replacement: bool, alpha: float
) -> Array:
    """Expected losses from all sequences of minibatches, and a start with the right two moments."""
    n, d = X.shape
    rows = np.column_stack([X, np.ones(n)])
    decay = alpha * np.array([1.0] * d + [0.0])
    draws = (
        itertools.product(range(n), repeat=B)
        if replacement
        else itertools.combinations(range(n), B)
    )
    batches = [list(J) for J in draws]
    # Symmetric points ±√d·0.01 along each axis have mean 0 and covariance 0.01².
    corners = INITIAL_SCALE * np.sqrt(d) * np.vstack([np.eye(d), -np.eye(d)])
    thetas = np.column_stack([corners, np.zeros(len(corners))])
    losses = [np.mean((thetas @ rows.T - y) ** 2) / 2]
    for _ in range(epochs):
        for _ in range(-(-n // B)):
            slopes = [(thetas @ rows[J].T - y[J]) @ rows[J] / B + thetas * decay for J in batches]
            thetas = np.concatenate([thetas - lr * slope for slope in slopes])
        losses.append(np.mean((thetas @ rows.T - y) ** 2) / 2)
    return np.array(losses)


@pytest.mark.parametrize("alpha", [0.0, 0.4])
@pytest.mark.parametrize(
    ("n", "d", "B", "epochs", "replacement"),
    [
        (4, 1, 2, 3, False),
        (3, 2, 2, 3, False),
        (3, 1, 2, 2, True),
        (2, 1, 1, 6, True),
        (5, 2, 3, 2, False),
    ],
)
@pytest.mark.parametrize("lr", [0.05, 0.4, 1.7])
def test_all_sequences_of_minibatches(
    n: int, d: int, B: int, epochs: int, replacement: bool, alpha: float, lr: float
) -> None:
    rng = np.random.default_rng(n + d)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    want = by_enumeration(X, y, lr, B, epochs, replacement, alpha)
    modes = Modes(X, y, weight_decay=alpha)
    curve = independent_curve(modes, B, np.array([lr]), epochs, replacement=replacement)
    assert curve.kind is Kind.EXACT
    np.testing.assert_allclose(curve.losses[0], want, rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("name", ["note", "diabetes", "correlated", "n < d"])
def test_powers_of_eigenvalues_are_steps(
    name: str, alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, B = DATA[name]()
    modes = Modes(X[:, :15], y, weight_decay=alpha)
    limit = mean_square_limit(modes, B).value
    assert limit is not None
    lrs = limit * np.array([0.01, 0.5, 1.0, 1.3])
    jumps = {}
    for cost in (0, np.inf):
        monkeypatch.setattr(second_moments, "_EIGEN_COST", cost)
        monkeypatch.setattr(second_moments, "_WORK", 1e30)
        jumps[cost] = independent_curve(modes, B, lrs, 3).losses
    np.testing.assert_allclose(jumps[0], jumps[np.inf], rtol=1e-9)


@pytest.mark.parametrize("name", ["note", "diabetes", "correlated"])
def test_the_floor_is_where_the_curve_ends(name: str) -> None:
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    limit = mean_square_limit(modes, B).value
    assert limit is not None
    lrs = limit * np.array([0.05, 0.5, 0.9, 0.999, 1.001])
    floor = independent_floor(modes, B, lrs)
    curve = independent_curve(modes, B, lrs[:3], 3000)
    np.testing.assert_allclose(curve.losses[:, -1], floor.losses[:3], rtol=1e-6)
    assert np.isfinite(floor.losses[3])
    assert floor.losses[4] == np.inf
    assert (np.diff(floor.losses) > 0).all()


def test_overflow_is_infinity_and_stays_so() -> None:
    X, y, B = DATA["correlated"]()
    curve = independent_curve(Modes(X, y), B, np.array([0.01, 30.0, 1e200]), 50).losses
    assert np.isfinite(curve[0]).all()
    assert np.isfinite(curve[:, 0]).all()
    assert (curve[1:, -1] == np.inf).all()
    assert not np.isnan(curve).any()


def test_labels_met_exactly_leave_no_floor() -> None:
    X = DATA["note"]()[0]
    modes = Modes(X, X @ [1.0, 2.0] + 3)
    curve = independent_curve(modes, 10, np.array([0.3]), 40).losses[0]
    assert curve[0] > 1
    assert curve[10:].max() < 1e-28
    assert independent_floor(modes, 10, np.array([0.3])).losses[0] < 1e-25


def test_the_diagonal_alone_is_exact_for_gaussian_features(monkeypatch: pytest.MonkeyPatch) -> None:
    X = gauss_hermite(3) * [0.5, 1.0, 2.0]
    rng = np.random.default_rng(3)
    y = X @ [1.0, -1.0, 0.5] + rng.choice([-1.0, 1.0], len(X))
    # Labels of both signs at every point, so that the noise is independent of the features too.
    X, y = np.vstack([X, X]), np.concatenate([y, 2 * X @ [1.0, -1.0, 0.5] - y])
    modes = without_bias(X, y)
    lrs = np.array([0.01, 0.05, 0.2])
    exact = independent_curve(modes, 7, lrs, 2, replacement=True)
    monkeypatch.setattr(second_moments, "_WORK", 4000)
    diagonal = independent_curve(modes, 7, lrs, 2, replacement=True)
    assert (exact.kind, diagonal.kind) == (Kind.EXACT, Kind.ESTIMATE)
    assert "diagonal" in diagonal.note
    np.testing.assert_allclose(diagonal.losses, exact.losses, rtol=1e-9)
    np.testing.assert_allclose(
        independent_floor(modes, 7, lrs, replacement=True).losses,
        0.5 / (1 - gain(modes, 7, lrs)),
        rtol=1e-9,
    )


def gain(modes: Modes, B: int, lrs: Array) -> Array:
    """``S(η)`` of the Gaussian shortcut, for all rates."""
    x = lrs[:, None] * modes.eigenvalues
    every: Array = np.sum(x / B / (2 - (1 + 1 / B) * x), axis=1)
    return every


def test_some_examples_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((4000, 2))
    modes = Modes(X, X[:, 0] + rng.standard_normal(4000))
    lrs = np.array([0.1, 0.7])
    exact = independent_curve(modes, 10, lrs, 1)
    monkeypatch.setattr(second_moments, "_WORK", 36 * 300)
    monkeypatch.setattr(second_moments, "_EIGEN_COST", 5)
    some = independent_curve(modes, 10, lrs, 1)
    assert some.kind is Kind.ESTIMATE
    np.testing.assert_allclose(some.losses, exact.losses, rtol=0.1)


@pytest.mark.parametrize("name", DATA)
def test_the_mean_of_400_seeds(name: str) -> None:
    """Within 4 standard errors at every epoch, with learnrate's own start and minibatch order."""
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    limit = mean_square_limit(modes, B).value
    assert limit is not None
    lrs, epochs = limit * np.array([0.1, 0.5]), 4
    losses = simulate(X, y, lrs, B, epochs, runs=400, real_order=True)
    curve = independent_curve(modes, B, lrs, epochs)
    assert curve.kind is Kind.EXACT
    error = losses.std(axis=1, ddof=1) / 20
    assert (np.abs(losses.mean(axis=1) - curve.losses)[:, 1:] < 4 * error[:, 1:]).all()
    np.testing.assert_allclose(losses.mean(axis=1)[:, 0], curve.losses[:, 0], rtol=0.01)


@pytest.mark.parametrize("name", DATA)
def test_the_start_of_the_curve_near_the_limit(name: str) -> None:
    """At 0.9 of the limit the average is ruled by rare runs, which 400 seeds need not hold.

    So only the first steps are compared, where such runs have had no time to grow.
    """
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    limit = mean_square_limit(modes, B).value
    assert limit is not None
    lr = 0.9 * limit
    m, second = modes.start()
    moments = second_moments.SecondMoments.of(modes, batch_variance(len(X), B), rates=1, steps=8)
    want = modes.loss_at_optimum + moments.follow(np.array([lr]), m, second, 1, 8)[0]
    losses = first_steps(X, y, lr, B, 8)
    error = losses.std(axis=0, ddof=1) / 20
    assert (np.abs(losses.mean(axis=0) - want)[1:] < 4 * error[1:]).all()


def first_steps(X: Array, y: Array, lr: float, B: int, steps: int) -> Array:
    """Losses of 400 runs after each of the first steps."""
    rng = np.random.default_rng(6)
    n, d = X.shape
    rows = np.column_stack([X, np.ones(n)])
    theta = np.column_stack([rng.normal(0, INITIAL_SCALE, (400, d)), np.zeros(400)])
    losses = [np.mean((theta @ rows.T - y) ** 2, axis=1) / 2]
    for _ in range(steps):
        for run in range(400):
            J = rng.choice(n, B, replace=False)
            theta[run] -= lr / B * (rows[J] @ theta[run] - y[J]) @ rows[J]
        losses.append(np.mean((theta @ rows.T - y) ** 2, axis=1) / 2)
    return np.array(losses).T
