"""Minibatch SGD near the optimum of a mean loss that is not quadratic.

There it moves as on least squares. Let ``x̃ = (x, 1)``, and ``s_i = ∂φ/∂z`` and ``B_i = ∂²φ/∂z²`` at the optimum. With
``M_i = B_i ⊗ x̃ x̃ᵀ`` and ``g_i = s_i ⊗ x̃`` a step of the error ``δ = θ − θ*`` is ``δ ← δ − η mean_J (M_i δ + g_i)``. So, with
``H = (1/n) Σ M_i``, weight decay in ``H̃ = H + α P``, and ``p = (n − B)/(B(n − 1))``, ``Σ = E δδᵀ`` obeys::

    Σ' = Σ − η(H̃Σ + ΣH̃) + η² D(Σ) + η² p V        D(Σ) = H̃ΣH̃ + p((1/n) Σ M_i Σ M_i − HΣH)

and the mean loss is ``L(θ*) + ½ tr(HΣ)``. This holds near the optimum; elsewhere the second derivatives are different.

Sources: Mulayoff and Michaeli (arXiv 2306.07850); for shuffled epochs Ying et al. (arXiv 1803.07964).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.closure import shuffling_gain
from learnrate.theory.modes import batch_variance

__all__ = ["Local", "block_sum"]

_FLAT = 1e-11
"""In directions whose eigenvalue is below this share of the largest the loss counts as constant."""
_WORK = 100_000_000
"""Multiplications of one sum over the examples; where all examples take more, evenly spaced ones are used."""
_ITERATIONS = 200


def block_sum(X: Float[Array, "m D"], E: Float[Array, "m C C"]) -> Float[Array, "CD CD"]:
    """``(1/m) Σ E_i ⊗ x̃_i x̃_iᵀ`` for symmetric ``E_i``."""
    C, D = E.shape[1], X.shape[1]
    total = np.empty((C, D, C, D))
    for c in range(C):
        for other in range(c, C):
            part = X.T @ (X * E[:, c, other, None]) / len(X)
            total[c, :, other, :] = part
            total[other, :, c, :] = part
    return total.reshape(C * D, C * D)


class Local:
    """SGD near the optimum of a mean loss: its limits, and the loss at which it settles.

    Parameters
    ----------
    X : array, shape (n, d)
        Features.
    derivative, second_derivative : arrays, shapes (n, C) and (n, C, C)
        ``∂φ/∂z`` and ``∂²φ/∂z²`` of every example at the optimum.
    batch_size : int
        B; minibatches are drawn without replacement.
    weight_decay : float
        α; the bias is not decayed.
    population : int, optional
        Number of examples that are trained on, if X is a sample of them.
    """

    def __init__(
        self,
        X: Float[Array, "n d"],
        derivative: Float[Array, "n C"],
        second_derivative: Float[Array, "n C C"],
        batch_size: int,
        *,
        weight_decay: float = 0.0,
        population: int | None = None,
    ) -> None:
        n, C = derivative.shape
        self.n = n if population is None else population
        self.batch_size = batch_size
        self.p = batch_variance(self.n, batch_size)
        self._X = np.column_stack([X, np.ones(n)]).astype(np.float64)
        self._second_derivative = second_derivative
        D = self._X.shape[1]
        self._shape = C, D
        H = block_sum(self._X, second_derivative)
        full = H.copy()
        decayed = np.arange(C * D).reshape(C, D)[:, :-1].ravel()
        full[decayed, decayed] += weight_decay
        eigenvalues, vectors = np.linalg.eigh(full)
        kept = eigenvalues > _FLAT * eigenvalues[-1]
        self.eigenvalues: Float[Array, " r"] = eigenvalues[kept]
        self._Q = vectors[:, kept]
        self._H = self._Q.T @ H @ self._Q
        mean = (derivative[:, :, None] * self._X[:, None, :]).mean(axis=0).ravel()
        V = block_sum(self._X, derivative[:, :, None] * derivative[:, None, :]) - np.outer(
            mean, mean
        )
        self._V = self._Q.T @ V @ self._Q
        self.decay: Float[Array, "r r"] = self._Q.T @ (full - H) @ self._Q
        self.every = max(1, -(-n * D**2 * C**2 // _WORK))

    @property
    def directions(self) -> Float[Array, "CD r"]:
        """Eigenvectors of H̃: the directions in which the loss changes."""
        return self._Q

    @property
    def full_batch_limit(self) -> float:
        """``2/λmax(H̃)``: above it gradient descent on all examples moves away from the optimum."""
        return float(2 / self.eigenvalues[-1])

    def _noise(self, S: Float[Array, "r r"]) -> Float[Array, "r r"]:
        """``(1/n) Σ M_i Σ M_i − HΣH``."""
        C, D = self._shape
        X, B = self._X[:: self.every], self._second_derivative[:: self.every]
        whole = (self._Q @ S @ self._Q.T).reshape(C, D, C, D)
        G = np.empty((len(X), C, C))
        for c in range(C):
            for other in range(C):
                G[:, c, other] = np.einsum("nd,nd->n", X @ whole[c, :, other, :], X)
        made = self._Q.T @ block_sum(X, B @ G @ B) @ self._Q
        return np.asarray(made - self._H @ S @ self._H)

    def _scattered(self, S: Float[Array, "r r"]) -> Float[Array, "r r"]:
        """``D(S)``."""
        lam = self.eigenvalues
        D = lam[:, None] * S * lam
        return D + self.p * self._noise(S) if self.p else D

    @cached_property
    def limit(self) -> float:
        """The mean-square limit for independent minibatches: ``2/ρ``, where ρ is the largest eigenvalue of ``C⁻¹D``.

        ``C(Σ) = ½(H̃Σ + ΣH̃)``. Power iteration from ``Σ = I`` converges, because ``C⁻¹D`` maps positive semidefinite
        matrices to such; the result has three digits.
        """
        sums = (self.eigenvalues[:, None] + self.eigenvalues) / 2
        S = np.eye(len(sums))
        before = 0.0
        for _ in range(_ITERATIONS):
            S = self._scattered(S) / sums
            rho = float(np.linalg.norm(S))
            S /= rho
            if abs(rho - before) < 1e-4 * rho:
                break
            before = rho
        return 2 / rho

    def excess(self, lrs: Float[Array, " K"], *, shuffle: bool) -> Float[Array, " K"]:
        """Mean loss at epoch ends, once settled, minus ``L(θ*)``, for each rate; infinite from the limit on."""
        return np.array([self._excess(float(lr), shuffle) for lr in lrs])

    def _excess(self, lr: float, shuffle: bool) -> float:
        if lr >= self.limit:
            return float("inf")
        if not self.p:
            return 0.0
        if shuffle:
            gain = shuffling_gain(lr, self.eigenvalues, -(-self.n // self.batch_size))
        else:
            gain = lr / (self.eigenvalues[:, None] + self.eigenvalues)
        S = np.zeros_like(self._V)
        before = 0.0
        for _ in range(_ITERATIONS):
            if shuffle:
                noise = self.p * (self._V + self._noise(S))
            else:
                noise = self._scattered(S) + self.p * self._V
            S = gain * noise
            excess = 0.5 * float(np.sum(self._H * S))
            if not np.isfinite(excess) or excess > 1e12:
                return float("nan")  # the formula for shuffled epochs holds to leading order only
            if abs(excess - before) <= 1e-3 * excess:
                break
            before = excess
        return excess
