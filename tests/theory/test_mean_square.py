from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.theory import mean_square, two_sides
from learnrate.theory.mean_square import mean_square_bound, mean_square_limit
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Quantity
from tests.theory.examples import DATA, Array, gauss_hermite, one_hot, without_bias


def value(limit: Quantity) -> float:
    assert limit.value is not None
    return limit.value


def by_kronecker(X: Array, p: float, alpha: float = 0.0) -> float:
    """``2/λmax(𝒞⁻¹𝒟)`` from D² × D² matrices, in the features' own coordinates (full rank only)."""
    rows = np.column_stack([X, np.ones(len(X))])
    D = rows.shape[1]
    one = np.eye(D)
    H = rows.T @ rows / len(rows)
    A = H + alpha * np.diag([1.0] * (D - 1) + [0.0])
    outer = np.einsum("ia,ib->iab", rows, rows)
    fourth = np.einsum("iab,icd->acbd", outer, outer).reshape(D * D, D * D) / len(rows)
    C = 0.5 * (np.kron(A, one) + np.kron(one, A))
    moves = np.kron(A, A) + p * (fourth - np.kron(H, H))
    return 2 / float(np.linalg.eigvals(np.linalg.solve(C, moves)).real.max())


@pytest.mark.parametrize(("B", "want"), [(1, 0.4384), (10, 1.4747), (32, 1.7997)])
def test_population_of_the_note(B: int, want: float) -> None:
    """Two standard normal features and a bias; the points have the population's moments."""
    X = gauss_hermite(2)
    modes = Modes(X, np.zeros(len(X)))
    limit = mean_square_limit(modes, B, replacement=True)
    assert value(limit) == pytest.approx(want, abs=1e-4)
    assert limit.kind is Kind.EXACT
    assert 2 / modes.spectrum.largest == pytest.approx(2)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("B", [1, 10, 100])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_isotropic_gaussian_features_without_bias(d: int, B: int, scale: float) -> None:
    modes = without_bias(scale * gauss_hermite(d))
    want = 2 * B / (scale**2 * (B + d + 1))
    assert value(mean_square_limit(modes, B, replacement=True)) == pytest.approx(want, rel=1e-10)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("name", ["note", "correlated", "heavy-tailed"])
def test_against_kronecker_products(name: str, replacement: bool) -> None:
    X, y, B = DATA[name]()
    p = batch_variance(len(X), B, replacement=replacement)
    limit = mean_square_limit(Modes(X, y), B, replacement=replacement)
    assert value(limit) == pytest.approx(by_kronecker(X, p), rel=1e-9)


def test_weight_decay_against_kronecker_products() -> None:
    X, y, B = DATA["correlated"]()
    limit = mean_square_limit(Modes(X, y, weight_decay=0.7), B)
    assert value(limit) == pytest.approx(by_kronecker(X, batch_variance(len(X), B), 0.7), rel=1e-9)


@pytest.mark.parametrize("name", DATA)
def test_all_examples_at_once_give_the_full_batch_limit(name: str) -> None:
    X, y, _ = DATA[name]()
    modes = Modes(X, y)
    assert value(mean_square_limit(modes, len(X))) == 2 / modes.spectrum.largest
    nearly = mean_square_limit(modes, len(X) - 1)
    assert value(nearly) == pytest.approx(2 / modes.spectrum.largest, rel=0.02)


@pytest.mark.parametrize("name", ["diabetes", "correlated"])
def test_the_two_sides_meet_at_what_the_matrix_holds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    want = value(mean_square_limit(modes, B))
    monkeypatch.setattr(mean_square, "_DIRECT_RANK", 0)
    limit = mean_square_limit(modes, B)
    assert "both sides" in limit.note
    assert value(limit) == pytest.approx(want, rel=1e-6)


def many(kind: str) -> Array:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((4000, 30))
    if kind == "correlated":
        return np.asarray(
            X / np.sqrt(1 + np.arange(30.0)) @ np.linalg.qr(rng.standard_normal((30, 30)))[0] + 1
        )
    if kind == "heavy-tailed":
        return rng.standard_t(4.5, X.shape)
    if kind == "rays":  # examples of very different lengths
        return X * np.exp(0.5 * rng.standard_normal((4000, 1)))
    return X


@pytest.mark.parametrize("single_rank", [0, 1000])
@pytest.mark.parametrize("steps", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", ["normal", "correlated", "heavy-tailed", "rays"])
def test_after_any_number_of_steps_the_limit_lies_between_the_sides(
    kind: str, steps: int, single_rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = many(kind)
    modes = Modes(X, X[:, 0])
    exact = mean_square_limit(modes, 10)
    assert exact.kind is Kind.EXACT
    monkeypatch.setattr(two_sides, "_MAX_STEPS", steps)
    monkeypatch.setattr(two_sides, "_WORK", 1e7 * steps)
    monkeypatch.setattr(two_sides, "_SINGLE_RANK", single_rank)
    low, high = two_sides.top_from_two_sides(modes, batch_variance(4000, 10), tolerance=1e-6)
    assert low <= 2 / value(exact) * (1 + 1e-6)
    assert high >= 2 / value(exact) * (1 - 1e-6)
    few = mean_square_limit(modes, 10)
    assert value(few) <= value(exact) * (1 + 1e-6)
    if few.kind is Kind.ESTIMATE:
        assert few.standard_error is not None
        assert value(exact) <= value(few) + few.standard_error
        assert few.standard_error <= 0.031 * value(few)


@pytest.mark.parametrize("scale", [1e-20, 1e20, 1e60])
def test_a_few_steps_at_any_scale(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = without_bias(many("normal"))
    monkeypatch.setattr(two_sides, "_MAX_STEPS", 3)
    want = value(mean_square_limit(modes, 10)) / scale**2
    assert value(mean_square_limit(without_bias(scale * many("normal")), 10)) == pytest.approx(want)


def by_powers(modes: Modes, B: int, steps: int) -> float:
    """``2/κ`` with κ from below: powers of ``𝒞⁻¹𝒟`` on ``z zᵀ`` of the example of largest leverage."""
    lam, Z, G, p = modes.eigenvalues, modes.Z, modes.data_hessian, batch_variance(modes.n, B)
    scale = 1 / np.sqrt(0.5 * (lam[:, None] + lam))
    z = Z[np.argmax((Z**2 / lam).sum(axis=1))]
    S = np.outer(z, z) / scale
    for _ in range(steps):
        S /= np.linalg.norm(S)
        X = scale * S
        moment = (Z.T * np.einsum("ij,ij->i", Z @ X, Z)) @ Z / modes.n
        MS = scale * (lam[:, None] * X * lam + p * (moment - G @ X @ G))
        kappa = float(np.sum(S * MS))
        S = MS
    return 2 / kappa


@pytest.mark.parametrize(
    ("n", "levels", "skew", "B"),
    [
        (1000, 60, 1.3, 1),
        (3000, 100, 1.6, 32),
        (9000, 150, 1.3, 32),
        pytest.param(9000, 150, 1.6, 1, marks=pytest.mark.slow),
        pytest.param(30_000, 60, 1.6, 1, marks=pytest.mark.slow),
    ],
)
def test_rare_levels_are_not_missed(n: int, levels: int, skew: float, B: int) -> None:
    """The top eigenvector lies along a level that a few of many rows have."""
    modes = Modes(one_hot(n, levels, skew, numeric=3), np.zeros(n))
    want, limit = by_powers(modes, B, 30), mean_square_limit(modes, B)
    assert limit.kind is not Kind.BOUND
    assert 0.97 * want < value(limit) <= want * (1 + 1e-6)


def test_very_wide_examples_get_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, B = DATA["diabetes"]()
    modes = Modes(X, y)
    exact = value(mean_square_limit(modes, B))
    monkeypatch.setattr(mean_square, "_WIDEST", 5)
    bound = mean_square_limit(modes, B)
    assert bound.kind is Kind.BOUND
    assert bound == mean_square_bound(modes, B)
    assert 0.5 * exact < value(bound) <= exact


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 10),
    d=st.integers(1, 4),
    tail=st.sampled_from([1, 3, 9]),
    offset=st.sampled_from([0.0, 1.0, 1e3]),
    alpha=st.sampled_from([0.0, 0.1]),
    data=st.data(),
)
def test_order_of_the_limits(
    n: int, d: int, tail: int, offset: float, alpha: float, data: st.DataObject
) -> None:
    """Textbook bound ≤ safe bound ≤ mean-square limit ≤ full-batch limit, for any examples."""
    X = offset + np.random.default_rng(n * 100 + d).standard_normal((n, d)) ** tail
    B = data.draw(st.integers(1, n))
    replacement = data.draw(st.booleans())
    modes = Modes(X, np.zeros(n), weight_decay=alpha)
    limit = value(mean_square_limit(modes, B, replacement=replacement))
    bound = value(mean_square_bound(modes, B, replacement=replacement))
    assert bound <= limit * (1 + 1e-9)
    assert limit <= 2 / modes.spectrum.largest * (1 + 1e-9)
    if alpha == 0:
        p = batch_variance(n, B, replacement=replacement)
        R2 = np.sum(modes.Z**2, axis=1).max()
        assert 2 / (p * R2 + (1 - p) * modes.spectrum.largest) <= bound * (1 + 1e-9)
