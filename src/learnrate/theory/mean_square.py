"""The mean-square limit: below it the loss, averaged over all minibatch orders, settles.

With minibatches drawn independently at each step, the second moment ``Σ = E δδᵀ`` of the error obeys::

    Σ' = T(Σ) = (I − ηΛ) Σ (I − ηΛ) + η² p C(Σ)         (plus terms that do not grow with Σ)

where Λ = diag(λ) and C is the operator of `learnrate.theory.fourth_moment`. Write it as
``T = I − 2η𝒞 + η²𝒟`` with ``𝒞(Σ) = ½(ΛΣ + ΣΛ)`` and ``𝒟(Σ) = ΛΣΛ + p C(Σ)``. T maps positive
semidefinite matrices to such, so its spectral radius is its largest eigenvalue, and that stays below 1
exactly while ``2𝒞 − η𝒟`` is positive: ``η < 2 / κ``, ``κ = λmax(𝒞⁻¹𝒟)``.

Source: Mulayoff and Michaeli, arXiv 2306.07850 (there without weight decay).
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.fourth_moment import Pairs, apply_fourth_moment, pair_covariance
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Quantity

__all__ = ["mean_square_bound", "mean_square_limit"]

_DIRECT_RANK = 21  # up to here all pairs make a matrix of at most 231 × 231
_WIDEST = 1025  # beyond, r × r matrices themselves become slow: give the bound
_WORK = 6e8  # rows · pairs² for the matrix, or rows · r² for one application without it
_SHARE = 0.2  # of that work, where the matrix is made from some rows
_TOLERANCE = 1e-6


def mean_square_limit(
    modes: Modes, batch_size: int, *, replacement: bool = False, seed: int = 0
) -> Quantity:
    """``2 / λmax(𝒞⁻¹𝒟)``: the largest rate for which the average loss stays bounded.

    Exact for any examples: nothing is assumed about their distribution. With ``B = n`` drawn without
    replacement it is the full-batch limit ``2/λmax``.

    Up to rank 21 the operator is a matrix over pairs of directions; beyond, SciPy's Lanczos iteration
    applies it at ``n r²`` a time. Where even that would be slow, some rows stand for all: the result
    is then an estimate, corrected by one pass over all the examples (see `_corrected`), or for
    very wide examples the bound of `mean_square_bound`.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    replacement : bool
        Whether one minibatch may hold an example twice. learnrate's samplings never do.
    seed : int
        Chooses the rows, where some stand for all.

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
    direct = r <= _DIRECT_RANK
    enough = int(_WORK / ((r * (r + 1) / 2) ** 2 if direct else r**2))
    if r > _WIDEST or enough < min(modes.n, 4 * r):
        return mean_square_bound(modes, batch_size, replacement=replacement)
    top = _top_by_matrix if direct else _top_by_lanczos
    how = "fourth-moment operator" + ("" if direct else f", Lanczos to {_TOLERANCE:g}")
    if modes.n <= enough:
        return Quantity(2 / top(modes, p, modes.Z)[0], Kind.EXACT, note=how)
    some = int(_SHARE * enough) if direct else enough
    rows = np.random.default_rng(seed).choice(modes.n, some, replace=False)
    Z = modes.X_tilde[rows] @ modes.spectrum.vectors
    kappa, error = _corrected(modes, p, top(modes, p, Z)[1], Z)
    note = f"{how} on {some} of {modes.n} examples, corrected on all"
    return Quantity(2 / kappa, Kind.ESTIMATE, 2 / kappa**2 * error, note)


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
    lam, Z, G = modes.eigenvalues, modes.Z, modes.data_hessian
    square_norm = np.einsum("ij,ij->i", Z, Z)
    F = (Z.T * square_norm) @ Z / modes.n
    root = np.sqrt(lam)
    kappa = np.linalg.eigvalsh((np.diag(lam**2) + p * (F - G @ G)) / np.outer(root, root))[-1]
    return Quantity(2 / float(kappa), Kind.BOUND, note="the trace of the second moment shrinks")


def _inverse_root(lam: Float[Array, " r"]) -> Float[Array, "r r"]:
    """``𝒞^{−½}``, which acts on the entry (a, b) alone: ``(½(λ_a + λ_b))^{−½}``."""
    return 1 / np.sqrt(0.5 * (lam[:, None] + lam[None, :]))


Top = tuple[float, Float[Array, "r r"]]
"""The largest eigenvalue κ of ``𝒞^{−½}𝒟𝒞^{−½}`` and its unit eigenvector, as a matrix."""


def _top_by_matrix(modes: Modes, p: float, Z: Float[Array, "rows r"]) -> Top:
    lam, pairs = modes.eigenvalues, Pairs.every(modes.rank)
    scale = _inverse_root(lam)[pairs.first, pairs.second]
    D = p * pair_covariance(pairs, Z, modes.data_hessian)
    D[np.diag_indices_from(D)] += lam[pairs.first] * lam[pairs.second]
    values, vectors = np.linalg.eigh(D * np.outer(scale, scale))
    S = np.zeros((modes.rank, modes.rank))
    S[pairs.first, pairs.second] = S[pairs.second, pairs.first] = vectors[:, -1] / pairs.weight
    return float(values[-1]), S


def _top_by_lanczos(modes: Modes, p: float, Z: Float[Array, "rows r"]) -> Top:
    from scipy.sparse.linalg import LinearOperator, eigsh

    r = modes.rank

    def product(s: Array) -> Array:
        S = s.reshape(r, r)
        return _apply(0.5 * (S + S.T), modes, p, Z).ravel()

    operator = LinearOperator((r * r, r * r), matvec=product, dtype=np.float64)
    # Σ = 𝒞^{−1}: positive definite, so never orthogonal to the top eigenvector, and near it.
    start = np.diag(1 / np.sqrt(modes.eigenvalues)).ravel()
    values, vectors = eigsh(operator, k=1, which="LA", v0=start, ncv=8, tol=_TOLERANCE)
    return float(values[0]), vectors[:, 0].reshape(r, r)


def _apply(
    S: Float[Array, "r r"], modes: Modes, p: float, Z: Float[Array, "rows r"] | None
) -> Float[Array, "r r"]:
    """``𝒞^{−½}𝒟𝒞^{−½}(S)``, with C over the examples in Z; or all, left in their own coordinates."""
    lam, Q, G = modes.eigenvalues, modes.spectrum.vectors, modes.data_hessian
    scale = _inverse_root(lam)
    inner = scale * S
    if Z is not None:
        moment = apply_fourth_moment(inner, Z)
    else:
        moment = Q.T @ apply_fourth_moment(Q @ inner @ Q.T, modes.X_tilde) @ Q
    D: Array = lam[:, None] * inner * lam + p * (moment - G @ inner @ G)
    return scale * D


def _corrected(
    modes: Modes, p: float, S: Float[Array, "r r"], Z: Float[Array, "rows r"]
) -> tuple[float, float]:
    """κ on all examples, and its error, from the top eigenvector S of the rows in Z.

    One application of the whole operator M to S gives the Rayleigh quotient ``ρ = ⟨S, M S⟩ ≤ κ`` and the
    residual ``ω R = M S − ρ S`` with a unit R. The larger eigenvalue of M on the plane of S and R is one
    Lanczos step better than ρ, and how much better tells the size of what is still missing. (``⟨R, M R⟩``
    enters only in that correction, so the rows of Z do for it.)

    Source: Parlett, *The Symmetric Eigenvalue Problem*, chapter 13.
    """
    MS = _apply(S, modes, p, None)
    rho = float(np.sum(S * MS))
    residual = MS - rho * S
    omega = float(np.linalg.norm(residual))
    if omega == 0:
        return rho, 0.0
    R = residual / omega
    across = float(np.sum(R * _apply(R, modes, p, Z)))
    kappa = float(np.linalg.eigvalsh(np.array([[rho, omega], [omega, across]]))[-1])
    return kappa, kappa - rho
