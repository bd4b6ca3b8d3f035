"""The gradient of a minibatch by hand and by finite differences, beside what ``backward()`` found."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.book.steps.explanation import GradientCheck
from learnrate.book.steps.replay import Replay
from learnrate.nd import NDArray
from learnrate.training.losses import Loss

__all__ = ["check_gradient"]

_H = 0.001
"""Where the loss is quadratic a central difference is exact for any h; a large one rounds least."""
_SMALL_H = 1e-5
"""Elsewhere its error grows as h², and its rounding as 1/h."""

_MOST = 2000
"""Each finite difference costs two forward passes: of more parameters the first and last are checked."""


def check_gradient(
    X: NDArray, y: NDArray, w: NDArray, b: NDArray, replay: Replay, loss: Loss
) -> GradientCheck:
    """Compare ``w.grad`` and ``b.grad`` with two independent ways to the same numbers.

    Parameters
    ----------
    X, y : NDArray, shapes (batch, d) and (batch,)
        The minibatch.
    w, b : NDArray, shapes (d, C) and (C,)
        The parameters, after ``backward()`` and before the update.
    replay : Replay
        The summed loss as a function of w and of b.
    loss : Loss
        What is minimised.
    """
    h = _H if loss.quadratic else _SMALL_H
    theta = np.concatenate([w.asnumpy().ravel(), b.asnumpy()])
    with np.errstate(all="ignore"):  # a diverged run overflows here as it does everywhere
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
    """``∂φ/∂z`` by the formulas of a textbook: ``ŷ − y``, with a 1 at an example's class for y where there are several."""
    if loss.name == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True) - np.eye(z.shape[1])[y.astype(np.int64)])
    predicted = 1 / (1 + np.exp(-z)) if loss.name == "logistic" else z
    return np.asarray(predicted - y[:, None])


def _first_and_last(size: int) -> Bool[Array, " D"]:
    """All parameters, or the first and last of more than ``_MOST``."""
    checked = np.ones(size, dtype=bool)
    if size > _MOST:
        checked[_MOST // 2 : -_MOST // 2] = False
    return checked
