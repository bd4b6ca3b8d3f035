"""The gradient of a minibatch by formula and by finite differences, to compare with that of ``backward()``."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.book.steps.opened_step import GradientCheck
from learnrate.book.steps.replay import Replay
from learnrate.nd import NDArray
from learnrate.training.losses import Loss

__all__ = ["check_gradient"]

_H = 0.001
"""For a quadratic loss a central difference is exact for every h, and a large h has the least rounding error."""
_SMALL_H = 1e-5
"""For other losses its error grows as h², and its rounding error as 1/h."""

_MOST = 2000
"""A finite difference takes two forward passes; if there are more parameters, the first and the last are checked."""


def check_gradient(
    X: NDArray, y: NDArray, w: NDArray, b: NDArray, replay: Replay, loss: Loss
) -> GradientCheck:
    """Compute the gradient in two other ways, to compare with ``w.grad`` and ``b.grad``.

    Parameters
    ----------
    X, y : NDArray, shapes (batch, d) and (batch,)
        The minibatch.
    w, b : NDArray, shapes (d, C) and (C,)
        The parameters, after ``backward()`` and before the update.
    replay : Replay
        The summed loss as a function of w and of b.
    loss : Loss
        The loss that is minimised.
    """
    h = _H if loss.quadratic else _SMALL_H
    theta = np.concatenate([w.asnumpy().ravel(), b.asnumpy()])
    with np.errstate(all="ignore"):  # a diverged run overflows here too
        residuals = _residuals(X.asnumpy() @ w.asnumpy() + b.asnumpy(), y.asnumpy(), loss)
        rows = np.column_stack([X.asnumpy(), np.ones(len(X))])
        terms = (rows[:, :, None] * residuals[:, None, :]).reshape(len(rows), -1)
        by_hand = terms.sum(axis=0)
    checked = _first_and_last(theta.size)
    difference = np.full(theta.size, np.nan)
    of_w = np.flatnonzero(checked[: w.size])
    difference[of_w] = replay.differences(w._node, of_w, h)
    of_b = np.flatnonzero(checked[w.size :])
    difference[w.size + of_b] = replay.differences(b._node, of_b, h)
    return GradientCheck(
        residuals=residuals,
        terms=terms,
        by_hand=by_hand,
        backward=np.concatenate([w.grad.asnumpy().ravel(), b.grad.asnumpy()]),
        finite_difference=difference,
        checked=checked,
        h=h,
    )


def _residuals(
    z: Float[Array, "batch C"], y: Float[Array, " batch"], loss: Loss
) -> Float[Array, "batch C"]:
    """``∂φ/∂z`` by the formulas of a textbook: ``ŷ − y``, where for softmax y is 1 at the example's class and else 0."""
    if loss.name == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True) - np.eye(z.shape[1])[y.astype(np.int64)])
    predicted = 1 / (1 + np.exp(-z)) if loss.name == "logistic" else z
    return np.asarray(predicted - y[:, None])


def _first_and_last(size: int) -> Bool[Array, " D"]:
    """Which parameters are checked: all, or the first and the last 1,000."""
    checked = np.ones(size, dtype=bool)
    if size > _MOST:
        checked[_MOST // 2 : -_MOST // 2] = False
    return checked
