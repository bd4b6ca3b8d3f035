"""Lower and upper bounds on κ, the largest eigenvalue of ``𝒞⁻¹𝒟`` (see `learnrate.theory.mean_square`).

Lower bound: the Lanczos iteration gives ``M = 𝒞^{−½}𝒟𝒞^{−½}`` on the span of ``S, MS, …`` as a tridiagonal matrix. Its
largest eigenvalue is a Rayleigh quotient of M, so it is at most κ.

Upper bound: let P be positive definite and ``S = 𝒞^{−½}P``. For any k the same span gives an X with
``k𝒞(X) − 𝒟(X) = P + R``, where R is the residual of that equation, without another step. If X and P + R are positive
definite, then ``𝒟(X) ≼ k𝒞(X)``, and so ``κ ≤ k``, since ``𝒞⁻¹𝒟`` maps positive semidefinite matrices to such. If the
iteration has missed an eigenvector, this test fails, so the bound is never wrong. After one step from ``P = Λ`` it is
the bound of `learnrate.theory.mean_square.mean_square_bound`.

Sources: Parlett, *The Symmetric Eigenvalue Problem*, chapters 11 to 13; Collatz (1942) and Wielandt (1950) for
bounds of positive maps.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.examples import Examples
from learnrate.theory.fourth_moment import apply_fourth_moment
from learnrate.theory.modes import Modes

__all__ = ["WIDE", "top_from_two_sides"]

_MAX_STEPS = 60
WIDE = 320  # directions up to which it takes at most about a tenth of a second
# n · r², summed over all applications of the operator; for at most 320, and for more
_WORK, _WIDE_WORK = 6e8, 1.2e9
_SINGLE_RANK = 100  # directions from which on float32 saves time, …
_SINGLE_CONDITION = 1e4  # … up to this condition number, for which its digits are enough
_SINGLE_ERROR = 2e-5
_MARGIN = 1e-3  # share of P that P + R must keep, so that rounding does not matter
_STRONG = 3  # examples of large leverage that P emphasises, …
_FEW = 2  # … if more steps than this are made
_HALVINGS = 40
_DOUBLINGS = 8  # of the distance from the lower bound until X is positive definite


def top_from_two_sides(modes: Modes, p: float, *, tolerance: float) -> tuple[float, float]:
    """A lower and an upper bound on κ, as near to each other as the tolerance, or as the limit on the time allows.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    p : float
        Variance of a minibatch mean, see `learnrate.theory.modes.batch_variance`.
    tolerance : float
        Relative difference of the bounds at which the iteration ends.
    """
    lam, r = modes.eigenvalues, modes.rank
    work = (_WORK if r <= WIDE else _WIDE_WORK) / (modes.n * r**2)
    length, error = None, 0.0
    if work < _MAX_STEPS and r >= _SINGLE_RANK and lam[-1] < _SINGLE_CONDITION * lam[0]:
        length = modes.examples.largest * np.sqrt(modes.examples.shape[1])
        work, error = 2 * work, _SINGLE_ERROR
    steps = int(min(max(work, 1), _MAX_STEPS))
    krylov = _Krylov(_inverse_root(lam) * _start(modes, _STRONG if steps > _FEW else 0))
    low, high, near = 0.0, np.inf, max(tolerance, 4 * error)
    for _ in range(steps):
        krylov.extend(_apply(krylov.next, modes, p, length=length))
        low = max(low, krylov.top * (1 - error))
        if len(krylov.basis) < steps and (r > WIDE or not krylov.has_settled(near)):
            continue
        high = min(high, _proved(krylov, lam) * (1 + error))
        if high <= (1 + near) * low:
            break
    return low, max(high, low)


def _start(modes: Modes, strong: int) -> Float[Array, "r r"]:
    """P: Λ, plus terms for the ``strong`` examples of largest leverage, which decide κ where large values are rare."""
    lam = modes.eigenvalues
    if not strong:
        return np.diag(lam)
    root, Z = np.sqrt(lam), modes.strongest_rows(strong)
    Z /= np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    start: Array = np.outer(root, root) * (np.eye(lam.size) + Z.T @ Z)
    return start


class _Krylov:
    """M on the span of ``S, MS, …``, as the tridiagonal matrix of the Lanczos iteration."""

    def __init__(self, start: Float[Array, "r r"]) -> None:
        self.length = float(np.linalg.norm(start))
        self.next = start / self.length
        self.basis: list[Float[Array, "r r"]] = []
        self._diagonal: list[float] = []
        self._beside: list[float] = []
        self.norm = 0.0

    def extend(self, MS: Float[Array, "r r"]) -> None:
        """Extend the span by ``MS``, which is M times `next`."""
        if self.basis:
            self._beside.append(self.norm)
        self.basis.append(self.next)
        self._diagonal.append(float(np.sum(self.next * MS)))
        for _ in range(2):  # orthogonalise twice, because of rounding
            for S in self.basis:
                MS -= float(np.sum(S * MS)) * S
        self.norm = float(np.linalg.norm(MS))
        self.next = MS / (self.norm or 1.0)
        T = np.diag(self._diagonal) + np.diag(self._beside, 1) + np.diag(self._beside, -1)
        self._values, self._vectors = np.linalg.eigh(T)

    @property
    def top(self) -> float:
        """The largest eigenvalue on the span."""
        return float(self._values[-1])

    def has_settled(self, tolerance: float) -> bool:
        """Whether `top` has converged to about this relative tolerance; an upper bound is not tried before.

        The error of a Ritz value is about the square of its residual.
        """
        residual = self.norm * float(self._vectors[-1, -1])
        return residual**2 <= tolerance * self.top**2

    def solve(self, k: float) -> Float[Array, " steps"]:
        """Coordinates in the basis of the S with ``(k − M) S = start``, up to the residual ``−norm · S_last · next``."""
        once: Array = self._vectors @ (self._vectors[0] / (k - self._values))
        return once * self.length


def _proved(krylov: _Krylov, lam: Float[Array, " r"]) -> float:
    """The smallest k that this span proves to be at least κ; infinity if there is none."""
    scale, root = _inverse_root(lam), np.sqrt(lam)
    # P ≽ Λ, so it is enough that Λ + R is positive. Where Λ is scaled to 1, R is a number times this matrix.
    range_ = np.linalg.eigvalsh(krylov.next / (scale * np.outer(root, root)))
    below, above = float(range_[0]), float(range_[-1])

    def holds(k: float) -> bool:
        share = -krylov.norm * float(krylov.solve(k)[-1])
        return 1 + min(share * below, share * above) > _MARGIN

    low, high = krylov.top, krylov.top * (1 + 1e-9)
    for _ in range(_HALVINGS):
        if holds(high):
            break
        high = low + 2 * (high - low)
    else:
        return np.inf
    inside = low
    for _ in range(_HALVINGS):
        middle = 0.5 * (inside + high)
        inside, high = (inside, middle) if holds(middle) else (middle, high)
    for _ in range(_DOUBLINGS):
        X = scale * np.tensordot(krylov.solve(high), krylov.basis, axes=1)
        if holds(high) and _is_positive(X):
            return high
        high = low + 2 * (high - low)
    return np.inf


def _is_positive(X: Float[Array, "r r"]) -> bool:
    """Whether a symmetric matrix is positive definite."""
    try:
        np.linalg.cholesky(X)
    except np.linalg.LinAlgError:
        return False
    return True


def _inverse_root(lam: Float[Array, " r"]) -> Float[Array, "r r"]:
    """``𝒞^{−½}``, which multiplies entry (a, b) by ``(½(λ_a + λ_b))^{−½}``."""
    return 1 / np.sqrt(0.5 * (lam[:, None] + lam[None, :]))


def _apply(
    S: Float[Array, "r r"], modes: Modes, p: float, *, length: float | None = None
) -> Float[Array, "r r"]:
    """``𝒞^{−½}𝒟𝒞^{−½}(S)``. With full rank it is S that is rotated, not the examples."""
    lam, Q, G = modes.eigenvalues, modes.spectrum.vectors, modes.data_hessian
    scale = _inverse_root(lam)
    inner = scale * (0.5 * (S + S.T))
    if modes.rank < len(Q):
        blocks = Examples(modes.Z, one=None).blocks()
        moment = apply_fourth_moment(inner, blocks, length=length)
    else:
        blocks = modes.examples.blocks()
        moment = Q.T @ apply_fourth_moment(Q @ inner @ Q.T, blocks, length=length) @ Q
    spread = lam[:, None] * inner * lam
    along = spread if modes.weight_decay == 0 else G @ inner @ G
    D: Array = spread + p * (moment - along)
    return scale * D
