"""Tables as people have them, made here: rare levels, heavy tails, raw incomes, word counts, near copies.

What is said before training was found on the first half; the second was put aside until it was done.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.theory.examples import Array, one_hot

__all__ = ["ASIDE", "TABLES"]

Table = tuple[Array, Array, int]


def standardised(X: Array) -> Array:
    """Columns of mean 0 and standard deviation 1."""
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def labels(X: Array, rng: np.random.Generator, noise: float = 0.5) -> Array:
    """A linear target of standard deviation 1 about 2, and noise."""
    fitted = standardised(X) @ rng.standard_normal(X.shape[1])
    return np.asarray(fitted / fitted.std() + noise * rng.standard_normal(len(X)) + 2)


def _rare_levels(seed: int, n: int, levels: int, raw: bool, B: int) -> Table:
    X, rng = one_hot(n, levels, 1.8, numeric=1, seed=seed), np.random.default_rng(seed)
    y = labels(X, rng)
    if raw:
        X = np.column_stack([X[:, :levels] > 0, X[:, levels:]]).astype(float)
    return X, y, B


def _log_normal(seed: int, n: int, spread: float, B: int) -> Table:
    rng = np.random.default_rng(seed)
    X = standardised(np.exp(spread * rng.standard_normal((n, 3))))
    return X, labels(X, rng), B


def _raw_incomes(seed: int, n: int) -> Table:
    rng = np.random.default_rng(seed)
    income = np.exp(rng.normal(10, 1.0, n))
    X = np.column_stack([income, rng.integers(18, 80, n), rng.standard_normal(n)])
    return X, labels(np.log(np.abs(X) + 1), rng), 10


def _words(seed: int, n: int, words: int) -> Table:
    rng = np.random.default_rng(seed)
    X = rng.poisson(np.geomspace(2, 0.05, words), (n, words)).astype(float)
    return standardised(X), labels(X, rng), 10


def _near_copies(seed: int, n: int, apart: float) -> Table:
    rng = np.random.default_rng(seed)
    X = standardised(rng.standard_normal((n, 1)) + apart * rng.standard_normal((n, 5)))
    return X, labels(X, rng), 10


def _students(seed: int, n: int, B: int) -> Table:
    rng = np.random.default_rng(seed)
    X = standardised(rng.standard_t(3, (n, 4)))
    return X, labels(X, rng), B


def _weak(seed: int, n: int, share: float) -> Table:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    y = np.sqrt(share) * X[:, 0] + np.sqrt(1 - share) * rng.standard_normal(n)
    return X, y - y.mean(), 10


def _outlier(seed: int, n: int, in_label: bool) -> Table:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    y = labels(X, rng)
    if in_label:
        y[17] += 60
    else:
        X[17, 1] = 25
    return standardised(X), y, 10


def _powers(seed: int, n: int) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 2, n)
    X = x[:, None] ** np.arange(1, 5)
    return X, np.sin(3 * x) + 0.1 * rng.standard_normal(n), 10


def _normal(seed: int, n: int, d: int, B: int) -> Table:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, labels(X, rng), B


TABLES: dict[str, Callable[[], Table]] = {
    "normal": lambda: _normal(1, 400, 4, 10),
    "rare levels": lambda: _rare_levels(1, 500, 9, False, 10),
    "rare levels, raw": lambda: _rare_levels(2, 400, 8, True, 10),
    "log-normal": lambda: _log_normal(1, 400, 1.0, 10),
    "raw incomes": lambda: _raw_incomes(2, 400),
    "word counts": lambda: _words(3, 400, 12),
    "near copies": lambda: _near_copies(4, 300, 0.2),
    "short last minibatch": lambda: _students(5, 130, 64),
    "weak signal": lambda: _weak(6, 400, 0.1),
}
"""Those that the statements were found on."""

ASIDE: dict[str, Callable[[], Table]] = {
    "n < d": lambda: _normal(11, 40, 60, 4),
    "more rare levels": lambda: _rare_levels(12, 800, 20, False, 20),
    "heavier log-normal": lambda: _log_normal(13, 300, 1.2, 5),
    "other incomes": lambda: _raw_incomes(14, 600),
    "more words": lambda: _words(15, 300, 25),
    "nearer copies": lambda: _near_copies(16, 400, 0.1),
    "Student's t": lambda: _students(17, 300, 1),
    "outlier in a feature": lambda: _outlier(18, 500, False),
    "outlier in the label": lambda: _outlier(19, 500, True),
    "powers, raw": lambda: _powers(20, 400),
    "no signal": lambda: _weak(21, 300, 0.0),
}
"""Those put aside until the end."""
