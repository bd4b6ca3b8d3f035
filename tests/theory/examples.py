"""The five data sets that the theory is measured on, each with its batch size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from learnrate.data import note_data
from learnrate.data.builtin import load_diabetes
from learnrate.theory.examples import Examples
from learnrate.theory.modes import Modes

Array = npt.NDArray[Any]


def note() -> tuple[Array, Array, int]:
    """The note's examples: two Gaussian features, label noise 0.01."""
    return (*note_data(), 10)


def diabetes() -> tuple[Array, Array, int]:
    """442 patients, ten standardised features."""
    table = load_diabetes().to_numpy()
    X, y = table[:, :-1], table[:, -1]
    return (X - X.mean(axis=0)) / X.std(axis=0), y, 10


def correlated() -> tuple[Array, Array, int]:
    """Five features, two of them nearly the same, one far from zero."""
    rng = np.random.default_rng(31)
    X = rng.standard_normal((400, 5))
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1]
    X[:, 3] += 2
    return X, X @ [1.0, -2.0, 0.5, 3.0, 0.0] + rng.standard_normal(400), 8


def heavy_tailed() -> tuple[Array, Array, int]:
    """Four features from Student's t with five degrees of freedom, and such label noise."""
    rng = np.random.default_rng(32)
    X = rng.standard_t(5, (500, 4))
    return X, X @ [2.0, -3.4, 1.0, 0.0] + rng.standard_t(5, 500), 5


def fewer_than_features() -> tuple[Array, Array, int]:
    """40 examples of 60 features: every label can be met."""
    rng = np.random.default_rng(33)
    X = rng.standard_normal((40, 60))
    return X, X @ rng.standard_normal(60), 4


def one_hot(n: int, levels: int, skew: float, *, numeric: int = 0, seed: int = 0) -> Array:
    """A category whose level k has about ``k^−skew`` of the rows, and numbers; all standardised."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, levels + 2) ** skew
    level = rng.choice(levels + 1, n, p=share / share.sum())
    level[: levels + 1] = np.arange(levels + 1)
    columns = (level[:, None] == np.arange(1, levels + 1)).astype(float)
    X = np.column_stack([columns, rng.standard_normal((n, numeric))])
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


DATA = {
    "note": note,
    "diabetes": diabetes,
    "correlated": correlated,
    "heavy-tailed": heavy_tailed,
    "n < d": fewer_than_features,
}


def without_bias(X: Array, y: Array | None = None) -> Modes:
    """Modes of the features alone, where a closed form knows no column of ones."""
    modes = Modes(X, np.zeros(len(X)) if y is None else y)
    modes.examples = Examples(X, one=None)
    return modes


def gauss_hermite(d: int) -> Array:
    """6^d equally likely points with the moments of d standard normal features up to degree 5.

    The three Gauss–Hermite nodes −√3, 0, √3 have the weights 1/6, 4/6, 1/6.
    """
    nodes = np.array([-np.sqrt(3), 0, 0, 0, 0, np.sqrt(3)])
    return np.stack(np.meshgrid(*[nodes] * d, indexing="ij"), axis=-1).reshape(-1, d)
