"""A kernel that computes the anchor of `learnrate.linear.anchor`, several times as fast if there are few features."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learnrate.data.moments import constant_spread
from learnrate.linear.anchor import FAR, IDLE, WIDE, Anchor, find_anchor, ridge_of, sample_step
from learnrate.linear.kernels.compiled import compiled, inner
from learnrate.linear.kernels.grams import row_gram
from learnrate.linear.kernels.layout import read_only
from learnrate.linear.kernels.vectors import prefetch
from learnrate.linear.problem import LinearProblem

__all__ = ["anchor_of"]

_AHEAD = 32  # rows to come that are asked for early


@inner
def _centred(X: Any, y: Any, d: int, every: int, rows: int, Z: Any, width: int, mean: Any) -> None:
    """Copy the rows ``0, every, …`` to Z as ``(x, y) − mean``, in float64; the first row is subtracted before the mean is."""
    for j in range(d + 1):
        mean[j] = 0.0
    for i in range(rows):
        ahead = min(i + _AHEAD, rows - 1) * every
        prefetch(y, ahead)
        for j in range(0, d, 8):
            prefetch(X, ahead * d + j)
        at, row = i * every * d, i * width
        for j in range(d):
            Z[row + j] = np.float64(X[at + j]) - np.float64(X[j])
            mean[j] += Z[row + j]
        Z[row + d] = np.float64(y[i * every]) - np.float64(y[0])
        mean[d] += Z[row + d]
    for j in range(d + 1):
        mean[j] /= rows
    for i in range(rows):
        for j in range(d + 1):
            Z[i * width + j] -= mean[j]
    for j in range(d):
        mean[j] += X[j]
    mean[d] += y[0]


@inner
def _ridge_solution(
    C: Any, width: int, d: int, rows: int, inverse: Any, ridge: float, x: Any, A: Any
) -> None:
    """Solve ``(S C S/m + ridge) x = S C[:, d]/m`` with ``S = diag(inverse)``, by Cholesky decomposition in A."""
    for i in range(d):
        for j in range(i + 1):
            total = C[j * width + i] * inverse[i] * (inverse[j] / rows)
            if i == j:
                total += ridge
            for k in range(j):
                total -= A[i, k] * A[j, k]
            A[i, j] = math.sqrt(total) if i == j else total / A[j, j]
        total = inverse[i] * C[i * width + d] / rows
        for k in range(i):
            total -= A[i, k] * x[k]
        x[i] = total / A[i, i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            x[i] -= A[k, i] * x[k]
        x[i] /= A[i, i]


@compiled
def _solve(
    X: Any,
    y: Any,
    d: int,
    every: int,
    rows: int,
    Z: Any,
    width: int,
    spread: float,
    least: float,
    ridge: float,
    C: Any,
    room: Any,
    anchor: Any,
    sizes: Any,
) -> None:
    """``anchor ← (w_ref, β_ref, s)``, and ``sizes ←`` the root mean squares of ``(z, 1, r)``, then the loss at w = 0, b = 0."""
    mean, inverse, solution, A = room[0], room[1], room[2], room[3:]
    _centred(X, y, d, every, rows, Z, width, mean)
    row_gram(Z, rows, width, C, 0, 0.0)
    largest = 1.0
    for i in range(d):
        largest = max(largest, math.hypot(math.sqrt(C[i * width + i] / rows), mean[i]))
    for i in range(d):
        scale = math.sqrt(C[i * width + i] / rows)
        constant = scale <= spread * abs(mean[i])
        idle = constant or scale <= least * largest
        inverse[i] = 0.0 if idle else 1.0 / scale
        far = constant or abs(mean[i]) > FAR * scale
        anchor[d + 1 + i] = mean[i] if far else 0.0
        sizes[i] = math.hypot(scale, mean[i] - anchor[d + 1 + i])
    _ridge_solution(C, width, d, rows, inverse, ridge, solution, A)
    beta, left = mean[d], C[d * width + d]
    sizes[d + 2] = 0.5 * (beta * beta + left / rows)
    for i in range(d):
        w = inverse[i] * solution[i]
        anchor[i] = w if math.isfinite(w) else 0.0
        beta -= (mean[i] - anchor[d + 1 + i]) * anchor[i]
        left += anchor[i] * (anchor[i] * C[i * width + i] - 2 * C[i * width + d])
        for j in range(i):
            left += 2 * anchor[i] * anchor[j] * C[j * width + i]
    anchor[d] = beta
    sizes[d], sizes[d + 1] = 1.0, math.sqrt(max(left, 0.0) / rows)


def anchor_of(problem: LinearProblem) -> Anchor:
    """The anchor of a problem, equal to that of `find_anchor` up to rounding."""
    d = problem.d
    if d > WIDE:
        return find_anchor(problem)
    every = sample_step(problem.n, d)
    if problem.source is None:
        X, y = problem.X, problem.y
    else:
        (X, y), every = problem.source.every(every), 1
    width = -(-(d + 1) // 8) * 8
    rows = (len(y) - 1) // every + 1
    found, sizes = np.empty(2 * d + 1, dtype=problem.dtype), np.empty(d + 3)
    single = X.itemsize == 4
    spread = constant_spread(rows, single=single)
    _solve(
        read_only(X.reshape(-1)), read_only(y), d, every, rows, np.zeros(rows * width), width,
        spread, IDLE[single], ridge_of(single), np.empty(width * width), np.empty((d + 3, d + 1)), found,
        sizes,
    )  # fmt: skip
    found = found.astype(np.float64)
    beta, shift = float(found[d]), found[d + 1 :]
    return Anchor(found[:d], beta, shift, sizes=sizes[:-1], start=float(sizes[-1]))
