"""The mean-square limit: the largest rate at which the loss, averaged over all minibatch orders, stays bounded.

With minibatches drawn independently at each step, the second moment ``Σ = E δδᵀ`` of the error obeys::

    Σ' = T(Σ) = (I − ηΛ) Σ (I − ηΛ) + η² p C(Σ)         (plus terms that do not grow with Σ)

where Λ = diag(λ) and C is the operator of `learnrate.theory.fourth_moment`. Write it as
``T = I − 2η𝒞 + η²𝒟`` with ``𝒞(Σ) = ½(ΛΣ + ΣΛ)`` and ``𝒟(Σ) = ΛΣΛ + p C(Σ)``. T maps positive
semidefinite matrices to such, so its spectral radius is its largest eigenvalue, which is below 1
exactly where ``2𝒞 − η𝒟`` is positive: ``η < 2 / κ``, ``κ = λmax(𝒞⁻¹𝒟)``.

An iteration approaches κ from below, and its residual does not show an eigenvector that the iteration has missed.
So an upper bound is proved as well: ``𝒞⁻¹𝒟`` maps positive semidefinite matrices to such, hence a positive
definite X with ``𝒟(X) ≼ k 𝒞(X)`` shows that ``κ ≤ k``. See `learnrate.theory.two_sides`.

Sources: Mulayoff and Michaeli, arXiv 2306.07850 (there without weight decay); Krein and Rutman, *Linear
operators leaving invariant a cone in a Banach space* (1948), for positive maps.
"""

from __future__ import annotations

import numpy as np

from learnrate.theory.fourth_moment import Pairs, pair_covariance
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Quantity
from learnrate.theory.two_sides import WIDE, top_from_two_sides

__all__ = ["mean_square_bound", "mean_square_limit"]

_DIRECT_RANK = 21  # up to which the operator is made as a matrix, at most 231 × 231
_WIDEST = 1025  # rank from which on even r × r matrices are slow: only the bound is computed
_DIRECT_WORK = 1.5e8  # rows · pairs² for that matrix: some ten milliseconds
_TOLERANCE = 1e-6  # if the two sides differ by less, they are one number
_NEAR = 1e-3  # if they differ by more, another pass over the examples is worth its time
_ESTIMATE = 0.03  # if they differ by less, the limit is an estimate with this error; else a bound


def mean_square_limit(modes: Modes, batch_size: int, *, replacement: bool = False) -> Quantity:
    """``2 / λmax(𝒞⁻¹𝒟)``: the largest rate for which the average loss stays bounded.

    Nothing is assumed about the examples' distribution. With ``B = n`` drawn without replacement it is the
    full-batch limit ``2/λmax``.

    Up to rank 21 and for few examples the operator is made as a matrix over pairs of directions, and the limit is
    exact. Otherwise an iteration, with ``n r²`` multiplications per step, finds an interval that contains it. The
    value is the lower end, which is proved to be safe. If the upper end is within 3 % of it, the width is given as the
    standard error; otherwise the value is called a bound.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    replacement : bool
        Whether an example may occur twice in a minibatch. In learnrate's own sampling it never does.

    Returns
    -------
    Quantity
        A learning rate, in units of 1/(feature)².
    """
    p = batch_variance(modes.population, batch_size, replacement=replacement)
    if p == 0:
        return Quantity(
            2 / modes.spectrum.largest,
            Kind.EXACT,
            note="every minibatch holds all examples, 2/λmax",
        )
    r = modes.rank
    if r > _WIDEST:
        return mean_square_bound(modes, batch_size, replacement=replacement)
    how = "fourth-moment operator"
    if r <= _DIRECT_RANK and modes.n * (r * (r + 1) / 2) ** 2 <= _DIRECT_WORK:
        return Quantity(2 / _top_by_matrix(modes, p), Kind.EXACT, note=how)
    low, high = top_from_two_sides(modes, p, tolerance=_TOLERANCE)
    if high > (1 + _NEAR) * low and r <= WIDE:
        high = max(low, min(high, _top_of_the_trace(modes, p)))
    if high <= (1 + _TOLERANCE) * low:
        return Quantity(
            2 / high, Kind.EXACT, note=f"{how}, proved from both sides to {_TOLERANCE:g}"
        )
    if high <= (1 + _ESTIMATE) * low:
        return Quantity(
            2 / high, Kind.ESTIMATE, 2 / low - 2 / high, f"{how}, proved from both sides"
        )
    return Quantity(2 / high, Kind.BOUND, note=f"{how}; the limit itself is at most {2 / low:.3g}")


def mean_square_bound(modes: Modes, batch_size: int, *, replacement: bool = False) -> Quantity:
    """A rate that is certainly below the mean-square limit, from one pass over the examples.

    The trace of Σ cannot grow while ``tr T(Σ) ≤ tr Σ``. With ``F = mean ‖z‖² z zᵀ``::

        tr T(Σ) = tr Σ − 2η tr(ΛΣ) + η² tr([Λ² + p(F − G²)] Σ)

    so ``η ≤ 2/κ`` suffices where ``Λ² + p(F − G²) ≼ κΛ``; the smallest such κ is the largest
    eigenvalue of ``Λ^{−½}[Λ² + p(F − G²)]Λ^{−½}``. It is a bound, not the limit, because Σ can shrink
    in another norm while its trace grows. With ``R²`` the smallest number for which
    ``F ≼ R²Λ`` and ``p = 1/B`` it implies the better known ``η ≤ 2B / (R² + (B − 1) λmax)``.

    Source: Défossez and Bach, arXiv 1412.0156 (for B = 1); Jain et al., arXiv 1610.03774.
    """
    p = batch_variance(modes.population, batch_size, replacement=replacement)
    kappa = _top_of_the_trace(modes, p)
    return Quantity(2 / kappa, Kind.BOUND, note="the trace of the second moment shrinks")


def _top_of_the_trace(modes: Modes, p: float) -> float:
    """``λmax(Λ^{−½}[Λ² + p(F − G²)]Λ^{−½})``."""
    lam, G = modes.eigenvalues, modes.data_hessian
    root, Q = np.sqrt(lam), modes.spectrum.vectors
    F = np.zeros((len(Q), len(Q)))
    for rows in modes.examples.blocks():  # whose norms are those of the z_i
        F += (rows.T * np.einsum("ij,ij->i", rows, rows)) @ rows
    F = Q.T @ F @ Q / modes.n
    return float(np.linalg.eigvalsh((np.diag(lam**2) + p * (F - G @ G)) / np.outer(root, root))[-1])


def _top_by_matrix(modes: Modes, p: float) -> float:
    lam, pairs = modes.eigenvalues, Pairs.every(modes.rank)
    scale = 1 / np.sqrt(0.5 * (lam[pairs.first] + lam[pairs.second]))
    D = p * pair_covariance(pairs, modes.sample(modes.n), modes.data_hessian)
    D[np.diag_indices_from(D)] += lam[pairs.first] * lam[pairs.second]
    return float(np.linalg.eigvalsh(D * np.outer(scale, scale))[-1])
