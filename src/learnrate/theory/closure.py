"""Where minibatch SGD settles on a loss that is not quadratic, if its error is taken to be normally distributed.

`learnrate.theory.local` makes the gradient linear in the error. That holds for small rates only: a bounded gradient keeps
large errors from growing. Here the error ``δ = θ − θ*`` is taken to be ``N(m, Σ)``, so that the outputs of example i are
``N(z*_i + A_i m, A_i Σ A_iᵀ)``. Let ``s_i``, ``B_i`` and ``F_i`` be the means of ``φ'``, ``φ''`` and ``φ' φ'ᵀ`` over this
distribution. A step on a minibatch whose mean has the variance p, relative to one example, gives::

    m' = m − η ḡ                                  ḡ = mean A_iᵀ s_i + α P (θ* + m)
    Σ' = (I − ηH̄) Σ (I − ηH̄) + η² p N            H̄ = mean A_iᵀ B_i A_i + α P
                                                  N = mean A_iᵀ F_i A_i − ḡḡᵀ − HΣH

and the mean loss is the mean of φ. SGD has settled where m and Σ no longer change. This is exact for squared loss and an
estimate otherwise: where a few examples have large gradients, the error has heavier tails than a normal distribution. With
a bounded derivative SGD settles at every rate, at large rates far above the optimum.

Source: Särkkä and Svensson, *Bayesian Filtering and Smoothing* (2023), chapter 8: Gaussian filtering by statistical linearisation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Averages", "Closure", "shuffling_gain"]

_MAX_ITERATIONS = 300
_MIN_DAMPING = 0.25
_TOLERANCE = 1e-4
_MIN_DECAY = 1e-3
"""Lower bound on ``1 − a²``, the share of the second moment that a step removes, so that no division is by 0."""


class Averages(NamedTuple):
    """Means over normally distributed outputs, for every example: of φ, φ', φ'' and ``φ' φ'ᵀ``."""

    value: Float[Array, " n"]
    derivative: Float[Array, "n C"]
    second_derivative: Float[Array, "n C C"]
    squares: Float[Array, "n C C"]


class Closure:
    """The mean and covariance of the error of SGD around an optimum; see the equations above.

    Parameters
    ----------
    expect : callable
        Returns the `Averages` for means (n, C) and covariances (n, C, C) of the outputs.
    outputs : array, shape (n, C)
        ``z*``, the outputs at the optimum.
    A : array, shape (n, C, r)
        Derivative of the outputs along each of r directions.
    decay : array, shape (r, r)
        ``α P`` in these directions.
    p : float
        Variance of a minibatch mean divided by the variance of one example.
    steps : int or None
        Minibatches per epoch if epochs are shuffled; None for independent minibatches.
    """

    def __init__(
        self,
        expect: Callable[[Float[Array, "n C"], Float[Array, "n C C"]], Averages],
        outputs: Float[Array, "n C"],
        A: Float[Array, "n C r"],
        decay: Float[Array, "r r"],
        p: float,
        steps: int | None,
    ) -> None:
        self._expect, self._z, self._A, self._decay = expect, outputs, A, decay
        self._p, self._steps = p, steps
        n, C, r = A.shape
        self._flat = A.reshape(n * C, r)
        start = self._at(np.zeros(r), np.zeros((r, r)))
        self._loss = float(start.value.mean())
        # The gradient at the optimum, without weight decay. For a sample of the examples it is not exactly −α P θ*.
        self._balance = self._mean_gradient(start)

    def _at(self, m: Float[Array, " r"], S: Float[Array, "r r"]) -> Averages:
        spread = (self._flat @ S).reshape(self._A.shape) @ self._A.transpose(0, 2, 1)
        return self._expect(self._z + self._A @ m, spread)

    def _mean_gradient(self, averages: Averages) -> Float[Array, " r"]:
        gradient: Array = averages.derivative.reshape(-1) @ self._flat / len(self._z)
        return gradient

    def _projected(self, E: Float[Array, "n C C"]) -> Float[Array, "r r"]:
        """``mean A_iᵀ E_i A_i``"""
        projected: Array = self._flat.T @ (E @ self._A).reshape(self._flat.shape) / len(self._z)
        return projected

    def excess(self, lrs: Float[Array, " K"]) -> Float[Array, " K"]:
        """Mean loss where SGD settles, minus the loss at the optimum, for ascending rates; NaN where none was found."""
        r = len(self._decay)
        m, S = np.zeros(r), np.zeros((r, r))
        excess = np.full(len(lrs), np.nan)
        previous = 0.0
        for k, lr in enumerate(lrs.tolist()):
            if previous:
                S = S * (lr / previous)
            with np.errstate(all="ignore"):  # where it does not settle, numbers overflow
                excess[k], m, S = self._settled(lr, m, S)
            previous = lr
        return excess

    def _settled(
        self, lr: float, m: Float[Array, " r"], S: Float[Array, "r r"]
    ) -> tuple[float, Float[Array, " r"], Float[Array, "r r"]]:
        """The excess loss with the mean and covariance of the error, by iteration from a first guess of both.

        The iteration ends when ``tr(HΣ)``, for a quadratic loss twice the excess, has changed by less than a relative
        1e-4 in two successive iterations. Steps are damped when it oscillates.
        """
        previous, last_change, damping, unchanged = 0.0, 0.0, 1.0, 0
        for _ in range(_MAX_ITERATIONS):
            averages = self._at(m, S)
            H, gradient = self._projected(averages.second_derivative), self._mean_gradient(averages)
            noise = self._projected(averages.squares) - np.outer(gradient, gradient) - H @ S @ H
            if not np.isfinite(noise).all():
                break
            lam, U = np.linalg.eigh(H + self._decay)
            if not lam[-1] > 0:
                break
            lam = np.maximum(lam, 1e-6 * lam[-1])
            pull = gradient - self._balance + self._decay @ m
            m = m - damping * (U @ ((U.T @ pull) / lam))
            settled = self._gain(lr, lam) * self._p * (U.T @ _positive(noise) @ U)
            target = U @ _positive(settled) @ U.T
            wanted, size = float(np.trace(H @ target)), float(np.trace(H @ S))
            if (
                size and wanted > 4 * size
            ):  # grow slowly, because the curvature falls as errors grow
                target *= 4 * size / wanted
            S = target if not size else (1 - damping) * S + damping * target
            size = float(np.trace(H @ S))
            change, previous = size - previous, size
            unchanged = unchanged + 1 if abs(change) <= _TOLERANCE * size else 0
            if unchanged == 2:
                return float(self._at(m, S).value.mean()) - self._loss, m, S
            if change * last_change < 0:
                damping = max(_MIN_DAMPING, damping / 2)
            last_change = change
        return float("nan"), m, S

    def _gain(self, lr: float, lam: Float[Array, " r"]) -> Float[Array, "r r"]:
        """Settled variance divided by the variance of the noise of one step, for each pair of directions."""
        if self._steps is not None:
            return shuffling_gain(lr, lam, self._steps)
        a = 1 - lr * lam
        return np.asarray(lr**2 / np.maximum(1 - np.outer(a, a), _MIN_DECAY))


def shuffling_gain(lr: float, lam: Float[Array, " r"], m: int) -> Float[Array, "r r"]:
    """``η² K_ij / (1 − (a_i a_j)^m)``: settled covariance at epoch ends divided by the noise of one step.

    For epochs of m shuffled minibatches, with ``a = 1 − ηλ`` and
    ``K_ij = m/(m−1) [Σ_{k<m} (a_i a_j)^k − (1/m) Σ a_i^k Σ a_j^k]``. ``ηλ`` is taken as at most 1.999.

    Source: Ying et al. (arXiv 1803.07964).
    """
    a = np.maximum(1 - lr * lam, -1 + _MIN_DECAY)
    product = np.outer(a, a)
    if m == 1:
        return np.zeros_like(product)
    with np.errstate(all="ignore"):
        sums = np.where(np.abs(1 - a) > 1e-12, (1 - a**m) / (1 - a), m)
        ratio = (1 - product**m) / (1 - product)
        K = m / (m - 1) * (ratio - np.outer(sums, sums) / m)
        return np.asarray(lr**2 * np.maximum(K, 0) / (1 - product**m))


def _positive(S: Float[Array, "r r"]) -> Float[Array, "r r"]:
    """The nearest positive semidefinite matrix: negative eigenvalues become 0."""
    values, vectors = np.linalg.eigh((S + S.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
