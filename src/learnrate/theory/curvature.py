"""An upper bound on the curvature of a mean loss, for all parameters."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["largest_curvature"]

_ROWS = 1 << 13


def largest_curvature(
    X: Float[Array, "n d"], bound: float | Float[Array, " n"], weight_decay: float = 0.0
) -> float:
    """``λmax((1/n) Σ c_i x̃_i x̃_iᵀ) + α`` with ``x̃ = (x, 1)``: no Hessian of the mean loss has a larger eigenvalue.

    Gradient descent on all examples with a rate below 2 divided by it lowers the loss in every step.

    Parameters
    ----------
    X : array, shape (n, d)
        Features.
    bound : float or array, shape (n,)
        ``c``, an upper bound on the eigenvalues of ``∂²φ/∂z²``: one for all examples, or one for each.
    weight_decay : float
        α.

    Source: Böhning and Lindsay (1988), "Monotonicity of quadratic-approximation algorithms".
    """
    n, d = X.shape
    roots = np.sqrt(np.broadcast_to(np.asarray(bound, dtype=np.float64), (n,)))

    def rows(first: int) -> Float[Array, "some D"]:
        some = slice(first, first + _ROWS)
        return np.column_stack([X[some], np.ones(len(X[some]))]) * roots[some, None]

    if d < n:
        gram = np.zeros((d + 1, d + 1))
        for first in range(0, n, _ROWS):
            A = rows(first)
            gram += A.T @ A
    else:
        A = np.concatenate([rows(first) for first in range(0, n, _ROWS)])
        gram = A @ A.T
    return float(np.linalg.eigvalsh(gram / n)[-1]) + weight_decay
