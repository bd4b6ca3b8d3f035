"""The point that training is measured from.

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

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.engines.problem import LinearProblem

__all__ = ["Anchor", "find_anchor"]

_SAMPLE_ROWS = 2048
_FAR = 8.0  # a mean below this many standard deviations costs less than a digit: no shift
_CG_STEPS = 50
_CG_TOLERANCE = 1e-12


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
        return np.vstack([(W - self.w).T, b + self.offset(W) - self.beta])

    def leave(self, delta: Float[Array, "D K"]) -> tuple[Float[Array, "K d"], Float[Array, " K"]]:
        """W and b of every lane in float64."""
        W = delta[:-1].T + self.w
        return W, delta[-1] + self.beta - self.offset(W)

    def offset(self, W: Float[Array, "K d"]) -> Float[Array, " K"]:
        """``s·w`` of every lane, summed one after another: the same bits however many lanes there are."""
        total: Float[Array, " K"] = np.cumsum(W * self.shift, axis=1)[:, -1]
        return total


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
    # Rounded to the type of X, so that an engine that computes in it has the very same anchor.
    w = (solution / scale).astype(problem.dtype).astype(np.float64)
    far = constant | (np.abs(mean) > _FAR * scale)
    shift = np.where(far, mean, 0.0).astype(problem.dtype).astype(np.float64)
    beta = float(problem.dtype.type(y_mean - float((mean - shift) @ w)))
    return Anchor(w=w, beta=beta, shift=shift)


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
