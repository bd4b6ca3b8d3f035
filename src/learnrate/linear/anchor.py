"""The origin of the coordinates in which the fast engines train.

Near the minimum of the loss ``ŷ − y`` is a small difference of large numbers, and with features such as
``1000 ± 1`` so are sums of squares about the mean. So the fast engines train in other coordinates. With ``s`` a typical
row of X (`Anchor.shift`) and ``(w_ref, β_ref)`` near the least-squares solution::

    z = x − s        β = b + s·w        δ = (w − w_ref, β − β_ref)        r = y − z·w_ref − β_ref

A prediction error is ``z·δ_w + δ_β − r``. With ``p = Σ_J z e``, ``q = Σ_J e`` and ``κ = 1 + s·s`` the step
of `learnrate.linear.problem` is exactly ``δ ← δ − (η/|B|) (p + s q, s·p + κ q)``: the same recurrence,
whose rounding errors shrink with ``δ``. If features are far from 0, ``κ q`` is the largest term. So κ is summed once, in
float64, which avoids the rounding error of d terms of the same sign in every step.

Any point near the minimum is good enough. So least squares is solved on a few thousand rows, with a ridge: along linearly
dependent columns, about which the examples say almost nothing, the weights stay near 0, where training begins. `fits`
checks the result on all examples: an anchor that fits them worse than a constant is replaced by `plain_anchor`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.moments import constant_spread
from learnrate.linear.problem import LinearProblem

__all__ = [
    "FAR",
    "WIDE",
    "Anchor",
    "find_anchor",
    "fits",
    "plain_anchor",
    "ridge_of",
    "sample_step",
]

_SAMPLE = 1 << 15  # numbers in the sample of rows, if these are at least two rows per column
_ROUGH = 12  # steps of conjugate gradients for wide data
WIDE = 64
"""Data with more features are wide."""
FAR = 8.0
"""With a mean below this many standard deviations less than one digit is lost, and there is no shift."""
IDLE = (1e-5, 2.5e-4)
"""A column whose standard deviation is below this share of the largest size has no weight; in float64, and in float32.

Training makes no progress along it: its weight would be very large, and the rounding of its ``δ`` larger than what is learned."""
_MISFIT = 4.0  # the largest loss of an anchor, relative to the loss of a constant


@dataclass(frozen=True, eq=False)
class Anchor:
    """The origin ``(w_ref, β_ref)`` and the shift ``s`` of the coordinates above.

    Attributes
    ----------
    w : float64 array, shape (d,)
        ``w_ref``.
    beta : float
        ``β_ref``.
    shift : float64 array, shape (d,)
        ``s``: the mean of each feature whose mean is large compared with its standard deviation, and 0 for others.
    sizes : float64 array, shape (d + 2,)
        Root mean squares of ``(z, 1, r)`` on the sample of rows.
    start : float
        The loss of zero weights and bias on the sample, which is about the loss at the start.
    """

    w: Float[Array, " d"]
    beta: float
    shift: Float[Array, " d"]
    sizes: Float[Array, " d2"]
    start: float

    @property
    def shifted(self) -> bool:
        """Whether any feature has a shift."""
        return bool(self.shift.any())

    @property
    def kappa(self) -> float:
        """``κ = 1 + s·s``"""
        return 1.0 + float(self.shift @ self.shift)

    def enter(self, W: Float[Array, "K d"], b: Float[Array, " K"]) -> Float[Array, "D K"]:
        """``δ`` of every lane, one column per lane, in float64."""
        delta = np.empty((self.w.size + 1, len(b)))
        np.subtract(W.T, self.w[:, None], out=delta[:-1])
        np.subtract(b + self.offset(W), self.beta, out=delta[-1])
        return delta

    def leave(self, delta: Float[Array, "D K"]) -> tuple[Float[Array, "K d"], Float[Array, " K"]]:
        """W and b of every lane in float64."""
        W = delta[:-1].T + self.w
        return W, delta[-1] + self.beta - self.offset(W)

    def sizes_of(self, delta: Float[Array, "D K"]) -> Float[Array, " K"]:
        """``Σ_i |u_i| · size_i`` of every lane, with ``u = (δ, −1)``: the size of the terms of a prediction error."""
        total: Array = self.sizes[:-1] @ np.abs(delta.astype(np.float64)) + self.sizes[-1]
        return total

    def offset(self, W: Float[Array, "K d"]) -> Float[Array, " K"]:
        """``s·w`` of every lane, summed in order, so that the bits do not depend on the number of lanes."""
        if not self.shifted:
            return np.zeros(len(W))
        total: Float[Array, " K"] = np.cumsum(W * self.shift, axis=1)[:, -1]
        return total


def sample_step(n: int, d: int) -> int:
    """The distance between the rows of the sample."""
    return max(1, n // max(_SAMPLE // d, 2 * d))


def ridge_of(single: bool) -> float:
    """The ridge, which is added to the diagonal of the correlation matrix.

    Along directions of less curvature training makes no progress: it would take 10¹⁰ steps, or in float32, where rounding
    is as large, 10⁶. With the ridge, weights are at most ``1/(2√ridge)`` times those that fit y, so that prediction errors
    keep ten digits, or four.
    """
    return 1e-6 if single else 1e-10


@np.errstate(all="ignore")
def find_anchor(problem: LinearProblem) -> Anchor:
    """Solve least squares with a ridge on evenly spaced rows, or on all rows if there are few.

    The first value of each column is subtracted, so that a constant column is exactly 0; then columns are centred and
    scaled to unit variance. Columns that are constant up to rounding have no weight. For wide data only a few steps of
    conjugate gradients are made, because an accurate solution would take longer than the training.

    Source: Hoerl and Kennard (1970), "Ridge Regression"; Hestenes and Stiefel (1952), section 10.
    """
    n, d = problem.n, problem.d
    sample, labels = problem.rows.every(sample_step(n, d))
    wide, m = d > WIDE, len(labels)
    Z = np.empty((m, d + 1), dtype=problem.dtype if wide else np.float64)
    Z[:, :d], Z[:, d] = sample, labels
    first = Z[0].copy()
    Z -= first
    mean = np.add.reduce(Z, axis=0) / m
    Z -= mean
    mean += first
    if wide:
        squares, right = np.einsum("ij,ij->j", Z, Z), Z.T @ Z[:, d]
    else:
        C = Z.T @ Z
        squares, right = C.diagonal().copy(), C[:, d]
    deviations = np.sqrt(squares / m).astype(np.float64)
    scale = deviations[:d]
    single = problem.dtype == np.float32
    spread = constant_spread(m, single=single)
    constant = scale <= spread * np.abs(mean[:d])
    ridge = ridge_of(single)
    largest = max(1.0, float(np.hypot(scale, mean[:d]).max()))
    idle = constant | (scale <= IDLE[single] * largest)
    inverse = 1.0 / np.where(idle, np.inf, scale)
    if wide:
        w = inverse * _conjugate_gradients(Z[:, :d], inverse, inverse * right[:d] / m, ridge)
        left = Z[:, d] - Z[:, :d] @ w
        left = left.dot(left)
    else:
        A = C[:d, :d] * inverse[:, None] * (inverse / m)
        A[np.arange(d), np.arange(d)] += ridge
        known = math.isfinite(A.sum())
        w = inverse * np.linalg.solve(A, inverse * right[:d] / m) if known else np.zeros(d)
        left = squares[d] + w.dot(C[:d, :d].dot(w) - 2 * right[:d])
    return _anchor(problem, mean, deviations, constant, w, max(float(left), 0.0) / m)


@np.errstate(all="ignore")
def plain_anchor(problem: LinearProblem) -> Anchor:
    """Zero weights, and the means over all examples. Training starts near this point, whatever the examples are."""
    d, n = problem.d, problem.n
    mean, squares = np.zeros(d + 1), np.zeros(d + 1)
    first: Array | None = None
    rows = max(1, _SAMPLE // (d + 1))
    for values in (False, True):  # the means, then the squares about them
        for X, y in problem.rows.blocks(rows, range(-(-n // rows))):
            Z = np.column_stack([X, y]).astype(np.float64)
            if first is None:
                first = Z[0].copy()
            Z -= first
            if values:
                squares += ((Z - mean) ** 2).sum(axis=0)
            else:
                mean += Z.sum(axis=0) / n
    assert first is not None
    mean += first
    deviations = np.sqrt(squares / n)
    constant = deviations[:d] == 0
    return _anchor(problem, mean, deviations, constant, np.zeros(d), deviations[d] ** 2)


def _anchor(
    problem: LinearProblem,
    mean: Float[Array, " d1"],
    deviations: Float[Array, " d1"],
    constant: Array,
    w: Float[Array, " d"],
    left: float,
) -> Anchor:
    """The anchor, rounded to the type of X, so that an engine that computes in this type has exactly this anchor."""
    d = len(w)
    w = np.where(np.isfinite(w), w, 0.0).astype(problem.dtype).astype(np.float64)
    scale, mean = deviations[:d], mean.astype(np.float64)
    far = constant | (np.abs(mean[:d]) > FAR * scale)
    shift = np.where(far, mean[:d], 0.0).astype(problem.dtype).astype(np.float64)
    beta = float(problem.dtype.type(mean[d] - float((mean[:d] - shift) @ w)))
    sizes = np.ones(d + 2)
    sizes[:d] = np.hypot(scale, mean[:d] - shift)
    sizes[d + 1] = math.sqrt(left)
    start = 0.5 * float(mean[d] ** 2 + deviations[d] ** 2)
    return Anchor(w=w, beta=beta, shift=shift, sizes=sizes, start=start)


def fits(r: float, y: float) -> bool:
    """Whether an anchor is good enough, by the mean squares of ``r`` and of ``y − β_ref`` over all examples."""
    return not r > _MISFIT * y


def _conjugate_gradients(
    Z: Float[Array, "m d"], inverse: Float[Array, " d"], right: Float[Array, " d"], ridge: float
) -> Float[Array, " d"]:
    """Twelve steps of conjugate gradients for ``(S ZᵀZ S/m + ridge) x = right`` with ``S = diag(inverse)``."""
    inverse, right = inverse.astype(Z.dtype), right.astype(Z.dtype)
    x = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    size = float(residual @ residual)
    for _ in range(_ROUGH):
        image = inverse * (Z.T @ (Z @ (inverse * direction))) / len(Z) + ridge * direction
        curvature = float(direction @ image)
        if not (size > 0 and 0 < curvature < np.inf):
            break
        x += (size / curvature) * direction
        residual -= (size / curvature) * image
        size, before = float(residual @ residual), size
        direction *= size / before
        direction += residual
    return x
