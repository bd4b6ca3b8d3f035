"""Columns as tables have them: made in the user's units, and prepared as the front prepares them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from learnrate._shapes import Array
from learnrate.data.arrays import from_arrays
from learnrate.data.prepared import Prepared

__all__ = ["COLUMNS", "LABELS", "prepared", "table"]


def one_hot(codes: Array) -> Array:
    """A column of zeros and ones for each category but the first."""
    columns: Array = (codes[:, None] == np.unique(codes)[1:]).astype(float)
    return columns


def rare(rng: np.random.Generator, n: int) -> Array:
    """A few frequent categories, many that are rare, and one with a single row."""
    shares = np.array([0.5, 0.3, 0.15] + [0.05 / 28] * 28)
    codes = rng.choice(len(shares), n, p=shares / shares.sum())
    codes[rng.integers(n)] = 99
    return one_hot(codes)


def periodic(rng: np.random.Generator, n: int) -> Array:
    """Weekdays in order, so that evenly spaced rows may all be of one kind."""
    return one_hot(np.arange(n) % int(rng.choice([2, 4, 7, 12])))


def ordered(rng: np.random.Generator, n: int) -> Array:
    """Categories one after another, and a number that begins to change at the end."""
    late = np.where(np.arange(n) > 0.98 * n, rng.standard_normal(n), 0.7)
    return np.column_stack([one_hot(np.sort(rng.integers(0, 6, n))), late])


def one_row(rng: np.random.Generator, n: int) -> Array:
    """Constant in all rows but one; and almost constant in all but one."""
    X = np.column_stack([np.full(n, 0.1), 5.0 + 1e-12 * rng.standard_normal(n)])
    X[rng.integers(n, size=2), [0, 1]] = 7.0
    return np.column_stack([X, rng.standard_normal(n)])


def counts(rng: np.random.Generator, n: int) -> Array:
    """Counts, mostly 0 or 1."""
    return rng.poisson([0.05, 0.7, 4.0], (n, 3)).astype(float)


def long_tails(rng: np.random.Generator, n: int) -> Array:
    """Incomes and worse."""
    return np.exp(rng.standard_normal((n, 3)) * [1.0, 2.0, 4.0])


def constant(rng: np.random.Generator, n: int) -> Array:
    """One number, and one number to rounding, beside a column that is worth something."""
    close = np.where(rng.random(n) < 0.5, 0.3, 0.1 + 0.2)
    return np.column_stack([np.full(n, 3.7), close, rng.standard_normal(n)])


def duplicated(rng: np.random.Generator, n: int) -> Array:
    """A column twice, and once more with a relative difference of 1e-9."""
    x = rng.standard_normal(n) + 3
    return np.column_stack([x, x, x * (1 + 1e-9 * rng.standard_normal(n)), rng.random(n)])


def totals(rng: np.random.Generator, n: int) -> Array:
    """Parts and their total; shares of 1, all of them; rounded as a file has them."""
    parts = rng.normal(50, 12, (n, 4)).round(2)
    return np.column_stack([parts, parts.sum(axis=1).round(2), parts / parts.sum(axis=1)[:, None]])


def single_totals(rng: np.random.Generator, n: int) -> Array:
    """Parts and total computed in float32."""
    parts = rng.standard_normal((n, 5)).astype(np.float32)
    return np.column_stack([parts, parts.sum(axis=1)]).astype(float)


def words(rng: np.random.Generator, n: int) -> Array:
    """Counts of words, of which most are in few rows."""
    often = 1 / np.arange(1, 41) ** 1.5
    return rng.poisson(often, (n, 40)).astype(float)


def far(rng: np.random.Generator, n: int) -> Array:
    """Means of a million standard deviations: times in seconds, places in metres."""
    return rng.standard_normal((n, 3)) * [1.0, 1e3, 1e-3] + [1e6, 1e9, 1e3]


def powers(rng: np.random.Generator, n: int) -> Array:
    """Powers of one number."""
    return rng.random((n, 1)) ** np.arange(1, 7)


COLUMNS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    make.__name__: make
    for make in (
        *(rare, periodic, ordered, one_row, counts, long_tails, constant, duplicated),
        *(totals, single_totals, words, far, powers),
    )
}
"""Kinds of columns by name."""

LABELS = ("noisy", "large", "exact", "far", "categories")
"""Kinds of labels; see `table`."""


def table(kinds: tuple[str, ...], label: str, n: int, seed: int) -> tuple[Array, Array]:
    """Features of some kinds side by side, and labels that depend on them."""
    rng = np.random.default_rng([seed, n])
    X = np.column_stack([np.arange(n) % 3, *(COLUMNS[kind](rng, n) for kind in kinds)])
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 1e-9 * np.abs(X).max(axis=0), spread, np.inf)
    y = Z @ rng.standard_normal(Z.shape[1])
    if label == "noisy":
        y = 200 + y + 0.3 * rng.standard_normal(n)
    elif label == "large":
        y = 1e9 * (y + rng.standard_normal(n))
    elif label == "far":
        y = 1e6 + y + rng.standard_normal(n)
    elif label == "categories":
        y = (y > 0).astype(float)
    return X, y


def prepared(X: Array, y: Array, dtype: str, *, standardize: bool = True) -> Prepared:
    """As `learnrate.sweep` takes arrays."""
    return from_arrays(X, y, standardize=standardize, dtype=dtype)
