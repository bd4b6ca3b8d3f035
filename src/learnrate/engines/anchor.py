"""The point that training is measured from, and the full-data loss about it.

Near the loss's minimum ``ŷ − y`` is a small difference of large numbers, and with features such as
``1000 ± 1`` so is every sum of squares. So the fast engines train in other coordinates. With ``s`` a typical
row of X (`Anchor.shift`) and ``(w_ref, β_ref)`` near the least-squares solution::

    z = x − s        β = b + s·w        δ = (w − w_ref, β − β_ref)        r = y − z·w_ref − β_ref

A prediction error is ``z·δ_w + δ_β − r``. With ``p = Σ_J z e`` and ``q = Σ_J e`` the step of
`learnrate.engines.problem` becomes, exactly, ``δ ← δ − (η/|B|) (p + s q, q + s·(p + s q))``: the same
recurrence, whose rounding errors shrink with ``δ``.

Any point near the minimum serves, since nothing here assumes that it is the minimum. So it is solved for
on a few thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.engines.problem import LinearProblem

__all__ = ["Anchor", "Quadratic", "find_anchor", "full_quadratic", "residuals", "row_blocks"]

_BLOCK = 1 << 17  # numbers in one block of scratch: 1 MiB of float64, which a level-2 cache holds
_SAMPLE_ROWS = 2048
_FAR = 8.0  # a mean below this many standard deviations costs less than a digit: no shift
_CG_STEPS = 50
_CG_TOLERANCE = 1e-12


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Cut ``n`` rows of ``width`` numbers into blocks that fit the scratch."""
    rows = max(1, _BLOCK // width)
    for first in range(0, n, rows):
        yield slice(first, min(first + rows, n))


@dataclass(frozen=True, eq=False)
class Anchor:
    """The origin of ``δ``.

    Attributes
    ----------
    w : float64 array, shape (d,)
        ``w_ref``.
    beta : float
        ``β_ref``.
    shift : float64 array, shape (d,)
        ``s``: the mean of a feature that lies far from 0 for its spread, and 0 for others.
    """

    w: Float[Array, " d"]
    beta: float
    shift: Float[Array, " d"]

    def enter(self, W: Float[Array, "K d"], b: Float[Array, " K"]) -> Float[Array, "D K"]:
        """``δ`` of every lane, a column each, in float64."""
        return np.vstack([(W - self.w).T, b + W @ self.shift - self.beta])

    def leave(self, delta: Float[Array, "D K"]) -> tuple[Float[Array, "K d"], Float[Array, " K"]]:
        """W and b of every lane in float64."""
        W = delta[:-1].T + self.w
        return W, delta[-1] + self.beta - W @ self.shift


def find_anchor(problem: LinearProblem) -> Anchor:
    """Solve least squares in float64 on evenly spaced rows, all of them where there are few.

    Columns are centred and brought to unit scale, then conjugate gradients run on the normal equations.
    Where columns are constant or duplicated they give the solution of least norm, and where they stop
    early the directions left over are the ones in which gradient descent gets nowhere either.

    Source: Hestenes and Stiefel (1952), section 10.
    """
    n, d = problem.X.shape
    every = max(1, n // max(_SAMPLE_ROWS, 2 * d))
    Z = problem.X[::every].astype(np.float64)
    y = problem.y[::every].astype(np.float64)
    mean, y_mean = Z.mean(axis=0), float(y.mean())
    Z -= mean
    y -= y_mean
    scale = np.sqrt(np.einsum("ij,ij->j", Z, Z) / len(y))
    constant = scale <= 1e-14 * np.abs(mean)
    scale[constant] = np.inf
    Z /= scale
    right = Z.T @ y
    if 4 * d < len(y):
        C = Z.T @ Z
        solution = _conjugate_gradients(lambda p: C @ p, right)
    else:
        solution = _conjugate_gradients(lambda p: Z.T @ (Z @ p), right)
    w = solution / scale
    far = constant | (np.abs(mean) > _FAR * scale)
    shift = np.where(far, mean, 0.0)
    return Anchor(w=w, beta=y_mean - float((mean - shift) @ w), shift=shift)


def _conjugate_gradients(
    apply: Callable[[Float[Array, " d"]], Float[Array, " d"]], right: Float[Array, " d"]
) -> Float[Array, " d"]:
    """Solve ``A x = right`` for a positive semidefinite ``A``, given as ``apply(p) = A p``."""
    x = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    size = float(residual @ residual)
    enough = _CG_TOLERANCE**2 * size
    for _ in range(min(_CG_STEPS, 2 * right.size)):
        image = apply(direction)
        curvature = float(direction @ image)
        if size <= enough or not curvature > 0:
            break
        x += (size / curvature) * direction
        residual -= (size / curvature) * image
        size, before = float(residual @ residual), size
        direction *= size / before
        direction += residual
    return x


def residuals(problem: LinearProblem, anchor: Anchor) -> Float[Array, " n"]:
    """``r`` of all examples, worked out in float64."""
    r = np.empty(problem.n, dtype=problem.dtype)
    bias = anchor.beta - float(anchor.shift @ anchor.w)
    for rows in row_blocks(problem.n, problem.d):
        r[rows] = problem.y[rows] - problem.X[rows] @ anchor.w - bias
    return r


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The loss of all n examples as a quadratic form: ``L(δ) = ½ uᵀ Q u`` with ``u = (δ_w, δ_β, −1)``.

    Attributes
    ----------
    Q : float64 array, shape (d + 2, d + 2)
        ``(1/n) Σ (z, 1, r)(z, 1, r)ᵀ``
    """

    Q: Float[Array, "d2 d2"]

    def losses(self, delta: Float[Array, "D K"]) -> Float[Array, " K"]:
        """Mean loss of every lane; not finite for a diverged one."""
        u = np.vstack([delta, np.full((1, delta.shape[1]), -1.0)])
        loss: Float[Array, " K"] = 0.5 * np.einsum("ik,ik->k", u, self.Q @ u)
        return np.maximum(loss, 0.0)


def full_quadratic(problem: LinearProblem, anchor: Anchor) -> tuple[Quadratic, Float[Array, " n"]]:
    """Go through the data once, in blocks, for the `Quadratic` and the residuals ``r``."""
    n, d = problem.X.shape
    r = np.empty(n, dtype=problem.dtype)
    Q = np.zeros((d + 2, d + 2))
    blocks = list(row_blocks(n, d + 2))
    Z = np.ones((blocks[0].stop, d + 2), dtype=np.float64)
    for rows in blocks:
        z = Z[: rows.stop - rows.start]
        np.subtract(problem.X[rows], anchor.shift, out=z[:, :d])
        np.subtract(problem.y[rows], anchor.beta, out=z[:, d + 1])
        z[:, d + 1] -= z[:, :d] @ anchor.w
        r[rows] = z[:, d + 1]
        Q += z.T @ z
    return Quadratic(Q / n), r
