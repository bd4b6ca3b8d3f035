"""The mean-square limit: below it the loss, averaged over all minibatch orders, settles.

With minibatches drawn independently at each step, the second moment ``Σ = E δδᵀ`` of the error obeys::

    Σ' = T(Σ) = (I − ηΛ) Σ (I − ηΛ) + η² p C(Σ)         (plus terms that do not grow with Σ)

where Λ = diag(λ) and C is the operator of `learnrate.theory.fourth_moment`. Write it as
``T = I − 2η𝒞 + η²𝒟`` with ``𝒞(Σ) = ½(ΛΣ + ΣΛ)`` and ``𝒟(Σ) = ΛΣΛ + p C(Σ)``. T maps positive
semidefinite matrices to such, so its spectral radius is its largest eigenvalue, and that stays below 1
exactly while ``2𝒞 − η𝒟`` is positive: ``η < 2 / κ``, ``κ = λmax(𝒞⁻¹𝒟)``.

An iteration finds κ from below, and a residual cannot notice an eigenvector that the iteration has hardly
touched. So κ is also proved from above: ``𝒞⁻¹𝒟`` maps positive semidefinite matrices to such, hence a positive
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

_DIRECT_RANK = 21  # up to here all pairs make a matrix of at most 231 × 231
_WIDEST = 1025  # beyond, r × r matrices themselves become slow: give the bound
_DIRECT_WORK = 1.5e8  # rows · pairs² for the matrix: some ten milliseconds
_TOLERANCE = 1e-6  # the two sides as near as this are one number
_NEAR = 1e-3  # what is further apart is worth another pass over the examples
_ESTIMATE = 0.03  # two sides as near as this are an estimate with its error; else there is a bound


def mean_square_limit(modes: Modes, batch_size: int, *, replacement: bool = False) -> Quantity:
    """``2 / λmax(𝒞⁻¹𝒟)``: the largest rate for which the average loss stays bounded.

    Nothing is assumed about the examples' distribution. With ``B = n`` drawn without replacement it is the
    full-batch limit ``2/λmax``.

    Up to rank 21 the operator is a matrix over pairs of directions, where there are few examples: then the
    limit is exact. Otherwise an iteration at ``n r²`` a time closes in on it from both sides. The value is the
    lower side, which is proved to be safe; where the upper side is within 3 % of it that is the error that is said,
    and where it is further off the value is called a bound.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    replacement : bool
        Whether one minibatch may hold an example twice. learnrate's samplings never do.

    Returns
    -------
    Quantity
        In units of a learning rate, 1/(feature)².
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
    """A rate that is certainly below the mean-square limit, for one pass over the examples.

    The trace of Σ cannot grow while ``tr T(Σ) ≤ tr Σ``. With ``F = mean ‖z‖² z zᵀ``::

        tr T(Σ) = tr Σ − 2η tr(ΛΣ) + η² tr([Λ² + p(F − G²)] Σ)

    so ``η ≤ 2/κ`` suffices where ``Λ² + p(F − G²) ≼ κΛ``; the smallest such κ is the largest
    eigenvalue of ``Λ^{−½}[Λ² + p(F − G²)]Λ^{−½}``. It is a bound, not the limit, because another
    measure of Σ than the trace may still shrink. With ``R²`` the smallest number for which
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
    for (
        rows
    ) in modes.examples.blocks():  # lengths along the directions are those of the rows themselves
        F += (rows.T * np.einsum("ij,ij->i", rows, rows)) @ rows
    F = Q.T @ F @ Q / modes.n
    return float(np.linalg.eigvalsh((np.diag(lam**2) + p * (F - G @ G)) / np.outer(root, root))[-1])


def _top_by_matrix(modes: Modes, p: float) -> float:
    lam, pairs = modes.eigenvalues, Pairs.every(modes.rank)
    scale = 1 / np.sqrt(0.5 * (lam[pairs.first] + lam[pairs.second]))
    D = p * pair_covariance(pairs, modes.sample(modes.n), modes.data_hessian)
    D[np.diag_indices_from(D)] += lam[pairs.first] * lam[pairs.second]
    return float(np.linalg.eigvalsh(D * np.outer(scale, scale))[-1])
