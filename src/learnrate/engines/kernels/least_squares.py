"""Kernel: the anchor of `learnrate.engines.anchor`, several times as fast where features are few."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learnrate.engines.anchor import (
    FAR,
    FLAT,
    MOST_STEPS,
    ROUNDING,
    WIDE,
    Anchor,
    find_anchor,
    sample_step,
)
from learnrate.engines.kernels.compiled import compiled, inner
from learnrate.engines.kernels.grams import row_gram
from learnrate.engines.kernels.memory import read_only
from learnrate.engines.kernels.vectors import ROW_BYTES, prefetch
from learnrate.engines.problem import LinearProblem

__all__ = ["anchor_of"]

_STEP = ROW_BYTES // 8
_AHEAD = 32  # rows to come that are asked for early
_EPS = float(np.finfo(np.float64).eps)


@inner
def _centred(X: Any, y: Any, d: int, every: int, rows: int, Z: Any, width: int, mean: Any) -> None:
    """Rows ``0, every, …`` as rows ``(x, y) − mean`` of Z, in float64."""
    for j in range(d + 1):
        mean[j] = 0.0
    for i in range(rows):
        ahead = min(i + _AHEAD, rows - 1) * every
        prefetch(y, ahead)
        for j in range(0, d, 8):
            prefetch(X, ahead * d + j)
        at, row = i * every * d, i * width
        for j in range(d):
            Z[row + j] = X[at + j]
            mean[j] += Z[row + j]
        Z[row + d] = y[i * every]
        mean[d] += Z[row + d]
    for j in range(d + 1):
        mean[j] /= rows
    for i in range(rows):
        for j in range(d + 1):
            Z[i * width + j] -= mean[j]


@inner
def _conjugate_gradients(
    C: Any, width: int, d: int, inverse: Any, steps: int, flat: float, x: Any, room: Any
) -> None:
    """``x ← x`` with ``diag(inverse) C diag(inverse) x = diag(inverse) C[:, d]``; see `learnrate.engines.anchor`."""
    residual, direction, image = room[0], room[1], room[2]
    size, steepest = 0.0, 0.0
    for i in range(d):
        x[i] = 0.0
        residual[i] = direction[i] = inverse[i] * C[i * width + d]
        size += residual[i] * residual[i]
    for _ in range(steps):
        curvature, length = 0.0, 0.0
        for i in range(d):
            image[i] = 0.0
            for j in range(d):
                image[i] += C[i * width + j] * inverse[j] * direction[j]
            image[i] *= inverse[i]
            curvature += direction[i] * image[i]
            length += direction[i] * direction[i]
        if length > 0:
            steepest = max(steepest, curvature / length)
        if not curvature > flat * steepest * length:
            return
        before, size = size, 0.0
        for i in range(d):
            x[i] += before / curvature * direction[i]
            residual[i] -= before / curvature * image[i]
            size += residual[i] * residual[i]
        for i in range(d):
            direction[i] = direction[i] * (size / before) + residual[i]


@compiled
def _solve(
    X: Any,
    y: Any,
    d: int,
    every: int,
    rows: int,
    Z: Any,
    width: int,
    steps: int,
    flat: float,
    C: Any,
    room: Any,
    anchor: Any,
) -> None:
    """``anchor ← (w_ref, β_ref, s)``, in numbers of the type of ``anchor``."""
    mean, inverse, solution = room[3], room[4], room[5]
    _centred(X, y, d, every, rows, Z, width, mean)
    row_gram(Z, rows, width, _STEP, d + 1, C, 0)
    beta = mean[d]
    for i in range(d):
        for j in range(i):
            C[i * width + j] = C[j * width + i]
        scale = math.sqrt(C[i * width + i] / rows)
        constant = scale <= ROUNDING * _EPS * abs(mean[i])
        inverse[i] = 0.0 if constant else 1.0 / scale
        far = constant or abs(mean[i]) > FAR * scale
        anchor[d + 1 + i] = mean[i] if far else 0.0
    _conjugate_gradients(C, width, d, inverse, steps, flat, solution, room)
    for i in range(d):
        anchor[i] = inverse[i] * solution[i]
        beta -= (mean[i] - anchor[d + 1 + i]) * anchor[i]
    anchor[d] = beta


def anchor_of(problem: LinearProblem) -> Anchor:
    """What `find_anchor` finds, but for rounding."""
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
    found = np.empty(2 * d + 1, dtype=problem.dtype)
    _solve(
        read_only(X.reshape(-1)), read_only(y), d, every, rows, np.zeros(rows * width), width,
        min(2 * d, MOST_STEPS), FLAT * _EPS, np.empty(width * width), np.empty((6, d + 1)), found,
    )  # fmt: skip
    found = found.astype(np.float64)
    return Anchor(w=found[:d], beta=float(found[d]), shift=found[d + 1 :])
