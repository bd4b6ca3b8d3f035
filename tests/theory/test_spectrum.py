from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.theory.examples import Examples
from learnrate.theory.spectrum import hessian_spectrum
from tests.theory.examples import Array


def by_svd(X: Array) -> Array:
    """Eigenvalues of H from the singular values of X̃, which lose no digits."""
    rows = Examples(X).whole()
    singular = np.linalg.svd(rows, compute_uv=False)
    kept = singular > max(rows.shape) * np.finfo(float).eps * singular[0]
    return np.sort(singular[kept] ** 2 / len(X))


rng = np.random.default_rng(1)
X = rng.standard_normal((50, 3))
CASES = {
    "plain": X,
    "far from zero": X + 1e3,
    "very different scales": X * [1e3, 1.0, 1e-3],
    "far from zero and narrow": 1e3 + 1e-3 * X,
    "a constant column": np.column_stack([X, np.full(50, 2.5)]),
    "a column of zeros": np.column_stack([X, np.zeros(50)]),
    "a column twice": np.column_stack([X, X[:, 0]]),
    "fewer examples than features": rng.standard_normal((5, 9)),
    "one example": np.array([[3.0, -1.0]]),
}


@pytest.mark.parametrize("name", CASES)
def test_eigenvalues_are_those_of_the_singular_values(name: str) -> None:
    spectrum = hessian_spectrum(Examples(CASES[name]))
    want = by_svd(CASES[name])
    assert spectrum.rank == want.size
    np.testing.assert_allclose(spectrum.eigenvalues, want, rtol=1e-5)
    assert spectrum.smallest == spectrum.eigenvalues.min()
    assert spectrum.largest == spectrum.eigenvalues.max()
    assert spectrum.condition_number == spectrum.largest / spectrum.smallest


@pytest.mark.parametrize("name", CASES)
def test_eigenvectors_rebuild_the_hessian(name: str) -> None:
    rows = Examples(CASES[name]).whole()
    spectrum = hessian_spectrum(Examples(CASES[name]))
    Q = spectrum.vectors
    np.testing.assert_allclose(Q.T @ Q, np.eye(spectrum.rank), atol=1e-12)
    H = rows.T @ rows / len(rows)
    np.testing.assert_allclose((Q * spectrum.eigenvalues) @ Q.T, H, atol=1e-12 * H.max())


@pytest.mark.parametrize("name", CASES)
def test_weight_decay_spares_the_bias(name: str) -> None:
    rows = Examples(CASES[name]).whole()
    spectrum = hessian_spectrum(Examples(CASES[name]), weight_decay=0.5)
    H = rows.T @ rows / len(rows) + 0.5 * np.diag([1.0] * (rows.shape[1] - 1) + [0.0])
    values = (spectrum.vectors * spectrum.eigenvalues) @ spectrum.vectors.T
    np.testing.assert_allclose(values, H, atol=1e-12 * H.max())
    assert spectrum.rank == rows.shape[1]


def test_directions_made_of_the_rounding_of_float32_are_none() -> None:
    """Of columns that add up; a small column of its own is one."""
    parts = np.random.default_rng(3).standard_normal((400, 4)) + 5
    small = 1e-9 * np.random.default_rng(4).standard_normal(400)
    X = np.column_stack([parts, parts.sum(axis=1), small])
    assert hessian_spectrum(Examples(X)).rank == 6
    spectrum = hessian_spectrum(Examples(X.astype(np.float32)))
    assert spectrum.rank == 6
    np.testing.assert_allclose(
        spectrum.eigenvalues, hessian_spectrum(Examples(X)).eigenvalues, rtol=0.05
    )


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 12),
    d=st.integers(1, 6),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
    seed=st.integers(0, 1000),
)
def test_rank_and_trace(n: int, d: int, scale: float, seed: int) -> None:
    X = np.random.default_rng(seed).integers(-2, 3, (n, d)) * scale
    rows = Examples(X).whole()
    spectrum = hessian_spectrum(Examples(X))
    assert spectrum.rank == np.linalg.matrix_rank(rows)
    assert spectrum.eigenvalues.sum() == pytest.approx(np.sum(rows**2) / n, rel=1e-10)
