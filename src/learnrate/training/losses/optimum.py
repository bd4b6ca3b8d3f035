"""The minimum of a mean loss on some examples, by Newton's method."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.local import block_sum
from learnrate.training.losses.base import Loss

__all__ = ["Optimum", "find_optimum"]

_MOST_STEPS = 60
_STRAIGHT_CURVATURE = 0.01
_MOST_PARAMETERS = 1_000
_MOST_PRODUCTS = 2_000_000_000
"""Larger problems are not tried: counted in parameters, and in multiplications for one Hessian."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The parameters that minimise the mean loss plus the weight decay penalty.

    Attributes
    ----------
    theta : array, shape (C, D)
        For each output the weights, and last the bias.
    loss : float
        The mean loss at ``theta``.
    derivative, second_derivative : arrays, shapes (n, C) and (n, C, C)
        ``∂φ/∂z`` and ``∂²φ/∂z²`` of every example at ``theta``.
    reached : bool
        Whether the iteration converged. If it did not, the loss may have no minimum.
    separates : bool
        Whether an iterate classified every example correctly: separable data have no optimum.
    flat : float
        The smallest eigenvalue of the Hessian that is not 0, divided by the largest.
    """

    theta: Float[Array, "C D"]
    loss: float
    derivative: Float[Array, "n C"]
    second_derivative: Float[Array, "n C C"]
    reached: bool
    separates: bool
    flat: float


def find_optimum(
    loss: Loss,
    X: Float[Array, "n d"],
    y: Array,
    weight_decay: float = 0.0,
    *,
    seconds: float = 5.0,
) -> Optimum | None:
    """Minimise the mean loss by damped Newton steps from 0, until a step would lower it by a relative 1e-13.

    Returns None where the problem is too large, or the time is over.

    Parameters
    ----------
    loss : Loss
        The loss of one example.
    X, y : arrays, shapes (n, d) and (n,)
        Examples.
    weight_decay : float
        α of the penalty ``½ α ‖W‖²``, which leaves out the bias.
    seconds : float
        The time limit.
    """
    until = time.monotonic() + seconds
    n, C = len(X), loss.outputs
    rows = np.column_stack([X, np.ones(n)]).astype(np.float64)
    D = rows.shape[1]
    if C * D > _MOST_PARAMETERS or n * D**2 * C**2 > _MOST_PRODUCTS:
        return None
    t = loss.encode(y, np.float64)
    decay = np.full((C, D), weight_decay)
    decay[:, -1] = 0

    def value(theta: Float[Array, "C D"]) -> float:
        mean = float(loss.value((rows @ theta.T)[:, :, None], t).mean())
        return mean + 0.5 * float((decay * theta**2).sum())

    gram = rows.T @ rows / n if C == 1 else np.zeros(0)
    theta = np.zeros((C, D))
    with np.errstate(all="ignore"):
        if loss.score == "D²":
            theta[:, -1] = np.log(np.mean(y))
        now, reached, separates = value(theta), False, False
        for _ in range(_MOST_STEPS):
            if time.monotonic() > until:
                return None
            z = rows @ theta.T
            derivative = loss.derivative(z[:, :, None].copy(), t)[:, :, 0]
            second = loss.second_derivative(z, y)
            gradient = (derivative.T @ rows / n + decay * theta).ravel()
            H = block_sum(rows, second) + np.diag(decay.ravel())
            # Where φ is linear (Huber) its second derivative is 0: use a hundredth of the bound instead.
            straight = (
                0.0 if loss.of_classes or loss.curvature is None else 1 - float(second.mean())
            )
            ahead = H if not straight else H + _STRAIGHT_CURVATURE * straight * gram
            eigenvalues, vectors = np.linalg.eigh(ahead)
            kept = eigenvalues > 1e-13 * eigenvalues[-1]
            along = vectors[:, kept].T @ gradient / eigenvalues[kept]
            step = (vectors[:, kept] @ along).reshape(C, D)
            decrement = float(gradient @ step.ravel())
            separates = bool(loss.of_classes and not weight_decay and _all_right(loss, z, y))
            reached = decrement <= 2e-13 * max(now, 1e-300)
            if separates or reached:
                break
            size = 1.0
            while not value(theta - size * step) <= now - 1e-4 * size * decrement and size > 1e-6:
                size /= 2
            theta = theta - size * step
            now = value(theta)
        eigenvalues = np.linalg.eigvalsh(H)
        flat = float(eigenvalues[eigenvalues > 1e-13 * eigenvalues[-1]].min(initial=np.inf))
        flat /= float(eigenvalues[-1]) or 1.0
        mean = float(loss.value((rows @ theta.T)[:, :, None], t).mean())
    return Optimum(theta, mean, derivative, second, reached, separates, flat)


def _all_right(loss: Loss, z: Float[Array, "n C"], y: Array) -> bool:
    """Whether every example has a positive margin to every other class."""
    if loss.outputs == 1:
        return bool((np.where(y > 0.5, z[:, 0], -z[:, 0]) > 0).all())
    own = z[np.arange(len(y)), y]
    others = z.copy()
    others[np.arange(len(y)), y] = -np.inf
    return bool((own > others.max(axis=1)).all())
