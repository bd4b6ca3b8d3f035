"""The anchor on the data that is hardest for it: few rows, many columns, dependent or far ones."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate.engines.anchor import find_anchor
from learnrate.engines.losses import residuals
from learnrate.engines.problem import LinearProblem
from tests.contract.problems import FEATURES, features


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
    X = rng.standard_normal((500, 6)) * 10.0 ** np.arange(-3, 3) + 1000
    y = X @ rng.standard_normal(6) + rng.standard_normal(500)
    anchor = find_anchor(LinearProblem(X, y, np.ones(1), 1, 1))
    exact = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(anchor.w, exact, rtol=1e-7)
