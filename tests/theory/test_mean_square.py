from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.theory import mean_square
from learnrate.theory.mean_square import mean_square_bound, mean_square_limit
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Quantity
from tests.theory.examples import DATA, Array, gauss_hermite, without_bias


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
def test_lanczos_finds_what_the_matrix_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    want = value(mean_square_limit(modes, B))
    monkeypatch.setattr(mean_square, "_DIRECT_RANK", 0)
    limit = mean_square_limit(modes, B)
    assert "Lanczos" in limit.note
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
@pytest.mark.parametrize("kind", ["normal", "correlated", "heavy-tailed", "rays"])
def test_a_few_steps_of_lanczos(
    kind: str, single_rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = many(kind)
    modes = Modes(X, X[:, 0])
    exact = mean_square_limit(modes, 10)
    assert exact.kind is Kind.EXACT
    monkeypatch.setattr(mean_square, "_WORK", 0)
    monkeypatch.setattr(mean_square, "_SINGLE_RANK", single_rank)
    few = mean_square_limit(modes, 10)
    if few.kind is Kind.EXACT:  # two steps were enough
        assert kind == "correlated"
        assert value(few) == pytest.approx(value(exact), rel=1e-6)
        return
    assert few.standard_error is not None
    assert few.standard_error < 0.011 * value(few)
    assert abs(value(few) - value(exact)) < 3 * few.standard_error


@pytest.mark.parametrize("scale", [1e-20, 1e20, 1e60])
def test_a_few_steps_at_any_scale(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = without_bias(many("normal"))
    monkeypatch.setattr(mean_square, "_WORK", 0)
    monkeypatch.setattr(mean_square, "_SINGLE_RANK", 0)
    want = value(mean_square_limit(modes, 10)) / scale**2
    assert value(mean_square_limit(without_bias(scale * many("normal")), 10)) == pytest.approx(want)


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


@pytest.mark.parametrize(
    ("kind", "rows"), [("normal", 400), ("normal", 1500), ("heavy-tailed", 150)]
)
def test_a_last_step_on_a_sample_says_what_the_sample_may_miss(kind: str, rows: int) -> None:
    modes = Modes(many(kind), many(kind)[:, 0])
    p = batch_variance(4000, 10)
    krylov = mean_square._Krylov(mean_square._diagonal_start(modes, p))
    for _ in range(3):
        krylov.extend(mean_square._apply(krylov.next, modes, p))
    theta, error = mean_square._confirm(krylov, modes, p, rows)
    assert len(krylov.basis) == 3
    krylov.extend(mean_square._apply(krylov.next, modes, p))
    assert 0 < abs(theta - krylov.top) < error < 1e-3 * theta


def test_a_sample_confirms_what_is_within_the_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(3).standard_normal((20_000, 22))
    modes = Modes(X, X[:, 0])
    taken = []
    confirm = mean_square._confirm

    def watched(*given: Any) -> tuple[float, float]:
        taken.append(confirm(*given))
        return taken[-1]

    monkeypatch.setattr(mean_square, "_confirm", watched)
    sampled = mean_square_limit(modes, 10)
    assert 2 / taken[0][0] == value(sampled)
    assert sampled.kind is Kind.EXACT
    monkeypatch.setattr(mean_square, "_confirm", lambda *given: (0.0, np.inf))
    exact = value(mean_square_limit(modes, 10))
    assert value(sampled) == pytest.approx(exact, rel=1e-7)
    assert value(sampled) != exact
