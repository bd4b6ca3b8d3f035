"""The Hessian of the mean squared loss, and its eigenvalues.

With ``x̃ = (x, 1)`` (the features and a 1 for the bias) and ``θ = (w, b)`` the loss is
``L(θ) = (1/n) Σ ½(x̃ᵀθ − y)²`` and its Hessian is ``H = (1/n) Σ x̃ x̃ᵀ``, the same at every θ. Weight
decay α, which leaves out the bias, adds ``α P`` with ``P = diag(1, …, 1, 0)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.examples import Examples

__all__ = ["Spectrum", "hessian_spectrum"]

# Below this ratio of eigenvalues the Gram matrix has lost half of its digits, and QR is used instead.
_GRAM_IS_ACCURATE = 1e-8


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues and eigenvectors of ``H + αP``, without directions orthogonal to all examples.

    Attributes
    ----------
    eigenvalues : array, shape (r,)
        ``0 < λ_1 ≤ … ≤ λ_r``, in units of (feature)²; r is the rank.
    vectors : array, shape (D, r)
        Column j is the unit eigenvector of ``λ_j``; ``D = d + 1``.
    """

    eigenvalues: Float[Array, " r"]
    vectors: Float[Array, "D r"]

    @property
    def rank(self) -> int:
        """r, the number of directions in which the loss is not constant."""
        return int(self.eigenvalues.size)

    @property
    def smallest(self) -> float:
        """``λmin``, the smallest eigenvalue that is not zero."""
        return float(self.eigenvalues[0])

    @property
    def largest(self) -> float:
        """``λmax``."""
        return float(self.eigenvalues[-1])

    @property
    def condition_number(self) -> float:
        """``λmax / λmin`` over the eigenvalues that are not zero."""
        return self.largest / self.smallest


def hessian_spectrum(examples: Examples, *, weight_decay: float = 0.0) -> Spectrum:
    """Eigen-decomposition ``(1/n) X̃ᵀX̃ + αP = Q diag(λ) Qᵀ``.

    For any n and D. Directions whose singular value is below ``max(n, D) · ε · σmax`` (ε the machine epsilon) are left
    out, because gradient descent never moves along them. If the examples are in float32, so are directions ``v`` with
    ``λ ≤ (2ε)² Σ_j v_j² mean x_j²``, ε that of float32: linearly dependent columns leave such eigenvalues by rounding.

    Parameters
    ----------
    examples : Examples
        X̃, of shape (n, D).
    weight_decay : float
        ``α ≥ 0``.

    Source: Golub and Van Loan, *Matrix Computations*, sections 5.5 and 8.1. The Gram matrix squares the
    condition number, so where that matters the singular values come from a QR factorisation of X̃.
    """
    n, D = examples.shape
    with np.errstate(under="ignore"):
        gram = examples.gram() / n
        gram[np.diag_indices(D - 1)] += weight_decay
        eigenvalues, vectors = np.linalg.eigh(gram)
        if eigenvalues[0] > _GRAM_IS_ACCURATE * eigenvalues[-1]:
            return Spectrum(eigenvalues, vectors)
        rows = examples.whole()
        if weight_decay:
            rows = np.vstack([rows, np.sqrt(n * weight_decay) * np.eye(D)[:-1]])
        _, singular, vectors_t = np.linalg.svd(np.linalg.qr(rows, mode="r"), full_matrices=False)
    kept = singular > max(rows.shape) * np.finfo(np.float64).eps * singular[0]
    if examples.rounding > np.finfo(np.float64).eps:
        squares = np.append(np.einsum("ij,ij->j", examples.X, examples.X) / n, np.zeros(D))[:D]
        kept &= singular**2 / n > (2 * examples.rounding) ** 2 * (vectors_t**2 @ squares)
    return Spectrum((singular[kept] ** 2 / n)[::-1].copy(), vectors_t[kept][::-1].T.copy())
