"""The gradient of a minibatch by hand and by finite differences, beside what ``backward()`` found."""

from __future__ import annotations

import numpy as np

from learnrate import nd
from learnrate._shapes import Array, Bool, Float
from learnrate.nd import NDArray
from learnrate.scratch import linreg, squared_loss
from learnrate.steps.explanation import GradientCheck

__all__ = ["check_gradient"]

_H = 0.001
"""The loss is quadratic, so a central difference is exact for any h; a large one rounds least."""

_MOST = 2000
"""Each finite difference costs two forward passes: of more parameters the first and last are checked."""


def check_gradient(X: NDArray, y: NDArray, w: NDArray, b: NDArray) -> GradientCheck:
    """Compare ``w.grad`` and ``b.grad`` with two independent ways to the same numbers.

    Parameters
    ----------
    X, y : NDArray, shapes (batch, d) and (batch,)
        The minibatch.
    w, b : NDArray, shapes (d, 1) and (1,)
        The parameters, after ``backward()`` and before the update.
    """
    ones = np.ones((len(X), 1))
    theta = np.concatenate([w.asnumpy().ravel(), b.asnumpy()])
    with np.errstate(all="ignore"):  # a diverged run overflows here as it does everywhere
        residuals = X.asnumpy() @ theta[:-1] + theta[-1] - y.asnumpy()
        terms = np.hstack([X.asnumpy(), ones]) * residuals[:, None]
        by_hand = terms.sum(axis=0)
        checked = _first_and_last(theta.size)
        difference = _central_difference(X, y, theta, checked)
    return GradientCheck(
        residuals=residuals,
        terms=terms,
        by_hand=by_hand,
        backward=np.concatenate([w.grad.asnumpy().ravel(), b.grad.asnumpy()]),
        finite_difference=difference,
        checked=checked,
        h=_H,
    )


def _first_and_last(size: int) -> Bool[Array, " D"]:
    """All parameters, or the first and last of more than ``_MOST``."""
    checked = np.ones(size, dtype=bool)
    if size > _MOST:
        checked[_MOST // 2 : -_MOST // 2] = False
    return checked


def _central_difference(
    X: NDArray, y: NDArray, theta: Float[Array, " D"], checked: Bool[Array, " D"]
) -> Float[Array, " D"]:
    """``(L(θ + h e_j) − L(θ − h e_j)) / 2h`` for every checked j, ``L`` the summed loss; nan elsewhere."""

    def loss(moved: Float[Array, " D"]) -> float:
        w, b = nd.array(moved[:-1, None], dtype="float64"), nd.array(moved[-1:], dtype="float64")
        return float(squared_loss(linreg(X, w, b), y).sum())

    difference = np.full(theta.size, np.nan)
    for j in np.flatnonzero(checked):
        up, down = theta.copy(), theta.copy()
        up[j] += _H
        down[j] -= _H
        difference[j] = (loss(up) - loss(down)) / (up[j] - down[j])
    return difference
