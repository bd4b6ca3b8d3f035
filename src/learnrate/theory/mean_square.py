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

import copy

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.examples import Examples
from learnrate.theory.fourth_moment import Pairs, apply_fourth_moment, pair_covariance
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Quantity
from learnrate.theory.rotated import Rotated

__all__ = ["mean_square_bound", "mean_square_limit"]

_DIRECT_RANK = 21  # up to here all pairs make a matrix of at most 231 × 231
_WIDEST = 1025  # beyond, r × r matrices themselves become slow: give the bound
_DIRECT_WORK = 1.5e8  # rows · pairs² for the matrix: some ten milliseconds
_WORK = 2e8  # rows · r², over all applications of the operator: some tens of milliseconds
_MOST_STEPS = 60
_FEWEST_STEPS = 2
_ROUGH = 0.01  # so much relative error is worth more steps than that, …
_MORE_STEPS = 12  # … up to here
_SINGLE_RANK = 100  # from here on float32 saves time where the result is an estimate anyway
_SINGLE_ERROR = 1e-5
_TOLERANCE = 1e-6
_STOP = 1e-7  # the estimated error to stop at, for what is missing is only estimated
_SAMPLE_WORK = 5e6  # rows · r² of the sample that a last step can be taken on


def mean_square_limit(modes: Modes, batch_size: int, *, replacement: bool = False) -> Quantity:
    """``2 / λmax(𝒞⁻¹𝒟)``: the largest rate for which the average loss stays bounded.

    Exact for any examples: nothing is assumed about their distribution. With ``B = n`` drawn without
    replacement it is the full-batch limit ``2/λmax``.

    Up to rank 21 the operator is a matrix over pairs of directions, where there are few examples;
    otherwise a Lanczos iteration applies it, at ``n r²`` a time. Where many examples leave too few
    applications, the result is an estimate with its error (see `_top_by_lanczos`), or for very wide
    examples the bound of `mean_square_bound`.

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
    kappa, error = _top_by_lanczos(modes, p)
    if error <= _TOLERANCE * kappa:
        return Quantity(2 / kappa, Kind.EXACT, note=f"{how}, Lanczos to {_TOLERANCE:g}")
    note = f"{how}, a few steps of Lanczos for {modes.n} examples"
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


def _top_by_matrix(modes: Modes, p: float) -> float:
    lam, pairs = modes.eigenvalues, Pairs.every(modes.rank)
    scale = _inverse_root(lam)[pairs.first, pairs.second]
    D = p * pair_covariance(pairs, modes.sample(modes.n), modes.data_hessian)
    D[np.diag_indices_from(D)] += lam[pairs.first] * lam[pairs.second]
    return float(np.linalg.eigvalsh(D * np.outer(scale, scale))[-1])


def _top_by_lanczos(modes: Modes, p: float) -> tuple[float, float]:
    """``κ``, the largest eigenvalue of ``M = 𝒞^{−½}𝒟𝒞^{−½}``, from below; and how much may be missing.

    After j steps M is known on the span of ``S, MS, …, M^{j−1}S``, where its largest eigenvalue θ has the
    residual norm ω. What is missing is about ``ω²/gap``. The gap to the second eigenvalue there is wider
    than to M's own, so twice that is said, and never more than ω.
    What that says to be within the tolerance, one more step on a sample confirms (see `_confirm`).
    Where all the steps that the tolerance takes would be too much work, fewer do, in float32 if r is large.

    Source: Parlett, *The Symmetric Eigenvalue Problem*, chapters 11 to 13.
    """
    most = int(_WORK / (modes.n * modes.rank**2))
    steps = min(max(most, _FEWEST_STEPS), _MOST_STEPS)
    length = None
    if most < _FEWEST_STEPS and modes.rank >= _SINGLE_RANK:
        length = modes.examples.largest * np.sqrt(modes.examples.shape[1])
    krylov = _Krylov(_diagonal_start(modes, p))
    while True:
        krylov.extend(_apply(krylov.next, modes, p, length=length))
        theta, error = krylov.top, krylov.error
        if length is not None:
            error = max(error, _SINGLE_ERROR * theta)
        done = len(krylov.basis)
        enough = _STOP if done < steps else _ROUGH if done < _MORE_STEPS else np.inf
        if error <= enough * theta or krylov.norm <= _STOP * theta or done == _MOST_STEPS:
            return theta, error
        few = int(_SAMPLE_WORK / modes.rank**2)
        if error <= _TOLERANCE * theta and length is None and few < modes.n / 2:
            confirmed = _confirm(krylov, modes, p, few)
            if confirmed[1] <= _STOP * theta and confirmed[0] - theta <= error:
                return confirmed


def _confirm(krylov: _Krylov, modes: Modes, p: float, few: int) -> tuple[float, float]:
    """One more step on some of the examples: θ and its error where that step has hardly a share in θ.

    An error of the sample, of the length ν, moves θ by ν times that share. The residual holds the sample's
    error in all directions but one, so its length stands for ν. A sample may lack the few examples that
    rule heavy tails; the step before, on all examples, is within the tolerance without it.
    """
    last = krylov.copy()
    last.extend(_apply(krylov.next, modes, p, along=modes.sample(few)))
    return last.top, last.error + last.norm * last.share_of_the_last


class _Krylov:
    """M on the span of ``S, MS, …``, as the tridiagonal matrix of Lanczos."""

    def __init__(self, start: Float[Array, "r r"]) -> None:
        self.next = start
        self.basis: list[Float[Array, "r r"]] = []
        self._diagonal: list[float] = []
        self._beside: list[float] = []
        self.norm, self.top, self.error, self.share_of_the_last = 0.0, 0.0, np.inf, 1.0

    def copy(self) -> _Krylov:
        """One that can go on by itself."""
        other = copy.copy(self)
        other.basis, other._diagonal = self.basis.copy(), self._diagonal.copy()
        other._beside = self._beside.copy()
        return other

    def extend(self, MS: Float[Array, "r r"]) -> None:
        """Take in M times `next`."""
        if self.basis:
            self._beside.append(self.norm)
        self.basis.append(self.next)
        self._diagonal.append(float(np.sum(self.next * MS)))
        for _ in range(2):  # against all, and again: rounding would bring back what is settled
            for S in self.basis:
                MS -= float(np.sum(S * MS)) * S
        self.norm = float(np.linalg.norm(MS))
        self.next = MS / (self.norm or 1.0)
        T = np.diag(self._diagonal) + np.diag(self._beside, 1) + np.diag(self._beside, -1)
        values, vectors = np.linalg.eigh(T)
        self.top = float(values[-1])
        self.share_of_the_last = float(vectors[-1, -1]) ** 2
        omega = self.norm * abs(float(vectors[-1, -1]))
        gap = self.top - float(values[-2]) if len(values) > 1 else omega
        self.error = min(omega, 2 * omega**2 / gap) if omega > 0 else 0.0


def _diagonal_start(modes: Modes, p: float) -> Float[Array, "r r"]:
    """The top eigenvector of M among diagonal matrices: near its own, and never orthogonal to it.

    That is because both are positive semidefinite, this one with a positive diagonal.
    """
    lam = modes.eigenvalues
    D = np.diag(lam**2) + p * modes.coarse_directions.spread
    top = np.abs(np.linalg.eigh(D / np.sqrt(np.outer(lam, lam)))[1][:, -1])
    top += _TOLERANCE * top.max()
    return np.diag(top / np.linalg.norm(top))


def _apply(
    S: Float[Array, "r r"],
    modes: Modes,
    p: float,
    *,
    along: Rotated | None = None,
    length: float | None = None,
) -> Float[Array, "r r"]:
    """``𝒞^{−½}𝒟𝒞^{−½}(S)``, over all examples or those ``along``.

    Examples that reach every direction are left in their own coordinates.
    """
    lam, Q, G = modes.eigenvalues, modes.spectrum.vectors, modes.data_hessian
    scale = _inverse_root(lam)
    inner = scale * (0.5 * (S + S.T))
    if along is not None:
        moment = apply_fourth_moment(inner, (Z for Z, _ in along.blocks()), length=length)
    elif modes.rank < len(Q):
        blocks = Examples(modes.Z, one=None).blocks()
        moment = apply_fourth_moment(inner, blocks, length=length)
    else:
        blocks = modes.examples.blocks()
        moment = Q.T @ apply_fourth_moment(Q @ inner @ Q.T, blocks, length=length) @ Q
    D: Array = lam[:, None] * inner * lam + p * (moment - G @ inner @ G)
    return scale * D
