"""The anchor on the data that is hardest for it: few rows, many columns, dependent or far ones."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate.linear.anchor import find_anchor, fits, plain_anchor
from learnrate.linear.kernels.least_squares import anchor_of
from learnrate.linear.losses import residuals
from learnrate.linear.problem import LinearProblem
from tests.contract.problems import FEATURES, features
from tests.contract.tables import COLUMNS, prepared, table


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.parametrize(("n", "d"), [(2, 3), (3, 100), (9, 297), (40, 65), (300, 200), (50, 5)])
def test_it_fits_no_worse_than_a_constant(n: int, d: int, kind: str, dtype: str) -> None:
    for seed in range(5):
        rng = np.random.default_rng([seed, n, d])
        X = features(rng, n, d, kind).astype(dtype)
        y = rng.standard_normal(n).astype(dtype) + 3
        problem = LinearProblem(X, y, np.ones(1), 1, 1)
        r = residuals(X, y, find_anchor(problem)).astype(float)
        assert np.sqrt(np.mean(r * r)) <= 1.001 * np.std(y.astype(float)) + 1e-4


def test_it_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 6)) * 10.0 ** np.arange(-2, 2).repeat(2)[:6] + 10
    y = X @ rng.standard_normal(6) + rng.standard_normal(500)
    anchor = find_anchor(LinearProblem(X, y, np.ones(1), 1, 1))
    exact = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(anchor.w, exact, rtol=1e-7)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_weights_are_of_a_sensible_size_whatever_the_table(kind: str, dtype: str) -> None:
    """No larger than what fits the labels, though a column be constant on the rows that are looked at."""
    for n, seed in ((300, 0), (9000, 1)):
        data = prepared(*table((kind, "words"), "noisy", n, seed), dtype)
        X, y = data.X_train, data.y_train
        for find in (find_anchor, anchor_of, plain_anchor):
            anchor = find(LinearProblem(X, y, np.ones(1), 1, 1))
            r = residuals(X, y, anchor).astype(float)
            left = float(np.mean(r * r))
            spread = float(np.mean((y - anchor.beta) ** 2, dtype=float))
            if kind == "one_row" and not fits(left, spread):
                continue  # nothing but all rows can tell
            assert np.abs(anchor.w).max() <= 30 * np.sqrt(spread)
            assert left <= 1.2 * spread
            assert 0.05 < anchor.sizes[-1] / np.sqrt(left) < 20


def test_a_column_that_is_constant_to_rounding_has_no_weight() -> None:
    """Two neighbouring numbers, not standardised: divided by their spread they would rule everything."""
    rng = np.random.default_rng(0)
    close = np.where(rng.random(200) < 0.5, 0.3, 0.1 + 0.2)
    X = np.column_stack([close, rng.standard_normal(200)])
    y = X[:, 1] + 5e15 * (close - 0.3)
    for find in (find_anchor, anchor_of):
        anchor = find(LinearProblem(X, y, np.ones(1), 1, 1))
        assert anchor.w[0] == 0
        assert anchor.shift[0] == pytest.approx(0.3)
