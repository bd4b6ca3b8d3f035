"""Where minibatch SGD settles on a loss that is not quadratic, as if its error were normally distributed.

`learnrate.theory.local` takes slopes as straight lines, which holds for small rates alone: a bounded gradient keeps large errors
from growing. Here the error ``δ = θ − θ*`` is taken as ``N(m, Σ)``, so that the outputs of example i are ``N(z*_i + A_i m, A_i Σ
A_iᵀ)``. With averages ``s_i``, ``B_i`` and ``F_i`` of ``φ'``, ``φ''`` and ``φ' φ'ᵀ`` over that, a step of minibatches with variance p gives::

    m' = m − η ḡ                                  ḡ = mean A_iᵀ s_i + α P (θ* + m)
    Σ' = (I − ηH̄) Σ (I − ηH̄) + η² p N            H̄ = mean A_iᵀ B_i A_i + α P
                                                  N = mean A_iᵀ F_i A_i − ḡḡᵀ − HΣH

and the mean loss is the average of φ. Where neither changes any more, SGD has settled. That is exact for squared loss, and an
estimate otherwise: errors have heavier tails than normal ones where few examples pull hard. A loss with a bounded slope settles at
every rate, far above the optimum at large ones.

Source: Särkkä and Svensson, *Bayesian Filtering and Smoothing* (2023), chapter 8: Gaussian filtering by statistical linearisation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Averages", "Closure", "shuffling_gain"]

_STEPS = 300
_DAMPED = 0.25
_CLOSE = 1e-4
_LEAST = 1e-3
"""How much of itself an error must lose in a step, at least, in what is tried next."""


class Averages(NamedTuple):
    """Averages over normal outputs of every example: of φ (n,), φ' (n, C), φ'' and φ' φ'ᵀ (n, C, C)."""

    value: Float[Array, " n"]
    slope: Float[Array, "n C"]
    bend: Float[Array, "n C C"]
    squares: Float[Array, "n C C"]


class Closure:
    """SGD about an optimum.

    Parameters
    ----------
    expect : callable
        Given means (n, C) and covariances (n, C, C) of outputs, the `Averages`.
    outputs : array, shape (n, C)
        ``z*`` at the optimum.
    A : array, shape (n, C, r)
        What a step along each direction adds to the outputs.
    decay : array, shape (r, r)
        ``α P`` in these directions.
    p : float
        Variance of a minibatch mean over that of one example.
    steps : int or None
        Minibatches of an epoch where epochs are shuffled; None for independent minibatches.
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
        # Of a sample of the examples the slopes at the optimum do not add up to what decay balances.
        self._balance = self._mean_slope(start)

    def _at(self, m: Float[Array, " r"], S: Float[Array, "r r"]) -> Averages:
        spread = (self._flat @ S).reshape(self._A.shape) @ self._A.transpose(0, 2, 1)
        return self._expect(self._z + self._A @ m, spread)

    def _mean_slope(self, averages: Averages) -> Float[Array, " r"]:
        slope: Array = averages.slope.reshape(-1) @ self._flat / len(self._z)
        return slope

    def _gathered(self, E: Float[Array, "n C C"]) -> Float[Array, "r r"]:
        """``mean A_iᵀ E_i A_i``"""
        gathered: Array = self._flat.T @ (E @ self._A).reshape(self._flat.shape) / len(self._z)
        return gathered

    def excess(self, lrs: Float[Array, " K"]) -> Float[Array, " K"]:
        """How far above the optimum's loss the mean loss settles at each of rising rates; NaN where it was not found."""
        r = len(self._decay)
        m, S = np.zeros(r), np.zeros((r, r))
        found = np.full(len(lrs), np.nan)
        before = 0.0
        for k, lr in enumerate(lrs.tolist()):
            if before:
                S = S * (lr / before)
            found[k], m, S = self._settled(lr, m, S)
            before = lr
        return found

    def _settled(
        self, lr: float, m: Float[Array, " r"], S: Float[Array, "r r"]
    ) -> tuple[float, Float[Array, " r"], Float[Array, "r r"]]:
        """The excess loss, and the mean and covariance that it is of, from a guess of both.

        They have settled when ``tr(HΣ)``, twice the excess of a straight slope, has changed by less than a ten-thousandth twice. What changes it
        one way and then the other is damped.
        """
        before, moved, damping, same = 0.0, 0.0, 1.0, 0
        for _ in range(_STEPS):
            averages = self._at(m, S)
            H, slope = self._gathered(averages.bend), self._mean_slope(averages)
            noise = self._gathered(averages.squares) - np.outer(slope, slope) - H @ S @ H
            if not np.isfinite(noise).all():
                break
            lam, U = np.linalg.eigh(H + self._decay)
            if not lam[-1] > 0:
                break
            lam = np.maximum(lam, 1e-6 * lam[-1])
            pull = slope - self._balance + self._decay @ m
            m = m - damping * (U @ ((U.T @ pull) / lam))
            made = self._gain(lr, lam) * self._p * (U.T @ _positive(noise) @ U)
            fresh = U @ _positive(made) @ U.T
            size, now = float(np.trace(H @ fresh)), float(np.trace(H @ S))
            if now and size > 4 * now:  # one step at a time: curvature falls as errors grow
                fresh *= 4 * now / size
            S = fresh if not now else (1 - damping) * S + damping * fresh
            now = float(np.trace(H @ S))
            move, before = now - before, now
            same = same + 1 if abs(move) <= _CLOSE * now else 0
            if same == 2:
                return float(self._at(m, S).value.mean()) - self._loss, m, S
            if move * moved < 0:
                damping = max(_DAMPED, damping / 2)
            moved = move
        return float("nan"), m, S

    def _gain(self, lr: float, lam: Float[Array, " r"]) -> Float[Array, "r r"]:
        """How much of the noise of one step is left when it has settled."""
        if self._steps is not None:
            return shuffling_gain(lr, lam, self._steps)
        a = 1 - lr * lam
        return np.asarray(lr**2 / np.maximum(1 - np.outer(a, a), _LEAST))


def shuffling_gain(lr: float, lam: Float[Array, " r"], m: int) -> Float[Array, "r r"]:
    """``η² K_ij / (1 − (a_i a_j)^m)``: how much of the noise of one step is left of an epoch of m shuffled steps.

    ``K_ij = m/(m−1) [Σ_{k<m} (a_i a_j)^k − (1/m) Σ a_i^k Σ a_j^k]`` with ``a = 1 − ηλ``. From ``ηλ = 2`` on it stays what it is there.

    Source: Ying et al. (arXiv 1803.07964).
    """
    a = np.maximum(1 - lr * lam, -1 + _LEAST)
    product = np.outer(a, a)
    if m == 1:
        return np.zeros_like(product)
    with np.errstate(all="ignore"):
        sums = np.where(np.abs(1 - a) > 1e-12, (1 - a**m) / (1 - a), m)
        ratio = (1 - product**m) / (1 - product)
        K = m / (m - 1) * (ratio - np.outer(sums, sums) / m)
        return np.asarray(lr**2 * np.maximum(K, 0) / (1 - product**m))


def _positive(S: Float[Array, "r r"]) -> Float[Array, "r r"]:
    """The nearest covariance: eigenvalues below 0 become 0."""
    values, vectors = np.linalg.eigh((S + S.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
