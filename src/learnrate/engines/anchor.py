"""The point that training is measured from.

Near the loss's minimum ``ŷ − y`` is a small difference of large numbers, and with features such as
``1000 ± 1`` so is every sum of squares. So the fast engines train in other coordinates. With ``s`` a typical
row of X (`Anchor.shift`) and ``(w_ref, β_ref)`` near the least-squares solution::

    z = x − s        β = b + s·w        δ = (w − w_ref, β − β_ref)        r = y − z·w_ref − β_ref

A prediction error is ``z·δ_w + δ_β − r``. With ``p = Σ_J z e``, ``q = Σ_J e`` and ``κ = 1 + s·s`` the step
of `learnrate.engines.problem` becomes, exactly, ``δ ← δ − (η/|B|) (p + s q, s·p + κ q)``: the same recurrence,
whose rounding errors shrink with ``δ``. Far from 0 the term ``κ q`` rules everything, so κ is summed once in
float64: summed anew in every step, it would have the rounding of d terms of one sign.

Any point near the minimum serves, since nothing here assumes that it is the minimum. So it is solved for
on a few thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.engines.problem import LinearProblem

__all__ = [
    "FAR",
    "FLAT",
    "MOST_STEPS",
    "ROUNDING",
    "WIDE",
    "Anchor",
    "find_anchor",
    "sample_step",
]

_SAMPLE = 1 << 15  # numbers to look at, unless that is under two rows for each column
_ROUGH = 12  # steps for wide data
WIDE = 64
"""Data with more features than that are wide."""
FAR = 8.0
"""A mean below this many standard deviations costs less than a digit: no shift."""
ROUNDING, FLAT = 64.0, 32.0
"""A standard deviation of so many roundings of the mean is none, and so is a curvature of the steepest one."""
MOST_STEPS = 50
"""Of conjugate gradients."""


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

    @property
    def shifted(self) -> bool:
        """Whether any feature lies far from 0."""
        return bool(self.shift.any())

    @property
    def kappa(self) -> float:
        """``κ = 1 + s·s``"""
        return 1.0 + float(self.shift @ self.shift)

    def enter(self, W: Float[Array, "K d"], b: Float[Array, " K"]) -> Float[Array, "D K"]:
        """``δ`` of every lane, a column each, in float64."""
        delta = np.empty((self.w.size + 1, len(b)))
        np.subtract(W.T, self.w[:, None], out=delta[:-1])
        np.subtract(b + self.offset(W), self.beta, out=delta[-1])
        return delta

    def leave(self, delta: Float[Array, "D K"]) -> tuple[Float[Array, "K d"], Float[Array, " K"]]:
        """W and b of every lane in float64."""
        W = delta[:-1].T + self.w
        return W, delta[-1] + self.beta - self.offset(W)

    def offset(self, W: Float[Array, "K d"]) -> Float[Array, " K"]:
        """``s·w`` of every lane, summed one after another: the same bits however many lanes there are."""
        if not self.shifted:
            return np.zeros(len(W))
        total: Float[Array, " K"] = np.cumsum(W * self.shift, axis=1)[:, -1]
        return total


def sample_step(n: int, d: int) -> int:
    """How far apart the rows are that are looked at."""
    return max(1, n // max(_SAMPLE // d, 2 * d))


def find_anchor(problem: LinearProblem) -> Anchor:
    """Solve least squares on evenly spaced rows, all of them where there are few.

    Columns are centred and brought to unit scale, then conjugate gradients run on the normal equations, in
    float64. Where columns are constant or duplicated they give the solution of least norm, and where they
    stop early the directions left over are the ones in which gradient descent gets nowhere either. For
    wide data a rough solution has to do: a good one would cost more than the training.

    Source: Hestenes and Stiefel (1952), section 10.
    """
    n, d = problem.n, problem.d
    every = sample_step(n, d)
    sample, labels = problem.rows.every(every)
    wide = d > WIDE
    Z = np.empty((len(sample), d + 1), dtype=problem.dtype if wide else np.float64)
    Z[:, :d], Z[:, d] = sample, labels
    mean = np.add.reduce(Z, axis=0) / len(Z)
    Z -= mean
    if wide:
        squares = np.einsum("ij,ij->j", Z, Z)
        right = Z.T @ Z[:, d]
    else:
        C = Z.T @ Z
        squares, right = C.diagonal().copy(), C[:, d]
    scale = np.sqrt(squares[:d] / len(Z))
    constant = scale <= ROUNDING * np.finfo(Z.dtype).eps * np.abs(mean[:d])
    inverse = 1.0 / np.where(constant, np.inf, scale)

    def apply(p: Float[Array, " d"]) -> Float[Array, " d"]:
        product = Z[:, :d].T @ (Z[:, :d] @ (inverse * p)) if wide else C[:d, :d] @ (inverse * p)
        return inverse * product

    steps = _ROUGH if wide else min(2 * d, MOST_STEPS)
    flat = FLAT * float(np.finfo(Z.dtype).eps)
    solution = inverse * _conjugate_gradients(apply, inverse * right[:d], steps, flat)
    # Rounded to the type of X, so that an engine that computes in it has the very same anchor.
    w = solution.astype(problem.dtype).astype(np.float64)
    far = constant | (np.abs(mean[:d]) > FAR * scale)
    shift = np.where(far, mean[:d], 0.0).astype(problem.dtype).astype(np.float64)
    beta = float(problem.dtype.type(mean[d] - float((mean[:d] - shift) @ w)))
    return Anchor(w=w, beta=beta, shift=shift)


def _conjugate_gradients(
    apply: Callable[[Float[Array, " d"]], Float[Array, " d"]],
    right: Float[Array, " d"],
    steps: int,
    flat: float,
) -> Float[Array, " d"]:
    """Solve ``A x = right`` for a positive semidefinite ``A``, given as ``apply(p) = A p``.

    A direction whose curvature is less than ``flat`` of the steepest one's is rounding, not data: there it
    ends, since a step along it would be as long as that curvature is small.
    """
    x = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    size, steepest = float(residual @ residual), 0.0
    for _ in range(steps):
        image = apply(direction)
        curvature, length = float(direction @ image), float(direction @ direction)
        steepest = max(steepest, curvature / length if length else 0.0)
        if not curvature > flat * steepest * length:
            break
        x += (size / curvature) * direction
        residual -= (size / curvature) * image
        size, before = float(residual @ residual), size
        direction *= size / before
        direction += residual
    return x
