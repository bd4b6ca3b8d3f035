"""Functions of the book: the linear model, squared loss, SGD, and cross-correlation."""

from __future__ import annotations

from learnrate import nd
from learnrate.errors import InputError
from learnrate.nd import NDArray
from learnrate.scratch import linreg, sgd, squared_loss

__all__ = ["corr2d", "linreg", "sgd", "squared_loss"]


def corr2d(X: NDArray, K: NDArray) -> NDArray:
    """Cross-correlation ``Y[i, j] = Σ_ab X[i + a, j + b] K[a, b]``.

    Shapes: ``X`` (h, w), ``K`` (p, q), result (h − p + 1, w − q + 1). Gradients flow to both.

    Raises
    ------
    InputError
        If ``K`` is larger than ``X``, or one of them does not have 2 axes.
    """
    if X.ndim != 2 or K.ndim != 2 or K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        raise InputError(
            "corr2d must be given a matrix and a kernel that is not larger. "
            f"Got shapes {X.shape} and {K.shape} instead."
        )
    height, width = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    terms = [
        X[a : a + height, b : b + width] * K[a, b]
        for a in range(K.shape[0])
        for b in range(K.shape[1])
    ]
    return nd.add_n(*terms)
