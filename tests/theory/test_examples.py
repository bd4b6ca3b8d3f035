from __future__ import annotations

import numpy as np
import pytest

from learnrate.theory import examples
from learnrate.theory.examples import Examples
from learnrate.theory.fourth_moment import Pairs, pair_moments
from learnrate.theory.modes import Modes
from tests.theory.examples import Array

rng = np.random.default_rng(11)


@pytest.mark.parametrize("one", [1.0, None, 3.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_everything_is_as_with_a_column_of_ones(
    one: float | None, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "_BLOCK", 7)
    X: Array = rng.standard_normal((23, 4)).astype(dtype)
    column = [] if one is None else [np.full((23, 1), one)]
    want = np.hstack([X.astype(np.float64), *column])
    got = Examples(X, one=one)
    A, v = rng.standard_normal((want.shape[1], 2)), rng.standard_normal(23)
    assert got.shape == want.shape
    assert got.largest == np.abs(want).max()
    np.testing.assert_array_equal(got.whole(), want)
    np.testing.assert_allclose(got @ A, want @ A, rtol=1e-13)
    np.testing.assert_allclose(got @ A[:, 0], want @ A[:, 0], rtol=1e-13)
    np.testing.assert_allclose(got.pull(v), want.T @ v, rtol=1e-12)
    np.testing.assert_allclose(got.gram(), want.T @ want, rtol=1e-12)
    np.testing.assert_array_equal(np.vstack([block.copy() for block in got.blocks()]), want)
    chosen = np.array([3, 22, 0, 5, 5, 9, 1, 2])
    some = np.vstack([block.copy() for block in got.blocks(chosen, most=3)])
    np.testing.assert_array_equal(some, want[chosen])


@pytest.mark.parametrize("one", [1.0, None])
def test_minibatches_with_rows_of_zeros(one: float | None) -> None:
    X = rng.standard_normal((5, 2))
    rows = np.vstack([Examples(X, one=one).whole(), np.zeros(2 + (one is not None))])
    orders = [np.array(order) for order in ([[0, 4], [1, 2]], [[3, 5], [4, 5]], [[2, 1], [4, 3]])]
    got = [minibatch.copy() for minibatch in Examples(X, one=one).minibatches(iter(orders))]
    for minibatch, order in zip(got, orders, strict=True):
        np.testing.assert_allclose(minibatch, rows[order] / np.sqrt(2), rtol=1e-15)


@pytest.mark.parametrize("r", [1, 2, 5])
def test_moments_of_pairs_by_their_symmetry(r: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the products of all pairs, written out; in several blocks of rows."""
    from learnrate.theory import fourth_moment

    monkeypatch.setattr(fourth_moment, "_MAX_ROWS", 13)
    monkeypatch.setattr(fourth_moment, "_ENTRIES", 20)
    modes = Modes(rng.standard_normal((40, r - 1)) ** 2, rng.standard_normal(40))
    pairs = Pairs.every(r)
    Z: Array = modes.Z
    phi = np.stack([pairs.of(np.outer(z, z)) for z in Z])
    got = pair_moments(pairs, modes.sample(40), residuals=True)
    np.testing.assert_allclose(got.fourth, phi.T @ phi / 40, rtol=1e-12, atol=1e-14)
    want = phi.T @ (modes.residuals[:, None] * Z) / 40
    np.testing.assert_allclose(got.third, want, rtol=1e-10, atol=1e-13)
    noise = (Z.T * modes.residuals**2) @ Z / 40
    np.testing.assert_allclose(modes.noise, noise, rtol=1e-12, atol=1e-14)
