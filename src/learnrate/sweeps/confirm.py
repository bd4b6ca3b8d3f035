"""A check, by other code than the engines', that the smallest final loss of a sweep is what its parameters give.

The engines keep their rounding errors within a bound; this check is for errors that nobody foresaw. The loss of the lane
with the smallest final loss, which may be suggested, is computed again from the rows in float64. If there are many rows,
some of them are used first, and all of them only if these do not confirm the loss.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.data.rows import ArrayRows, Rows
from learnrate.linear.choose import get_engine
from learnrate.linear.parameters import weights_of
from learnrate.linear.problem import LinearProblem
from learnrate.training.record import Record

__all__ = ["contradiction", "false_divergence"]

_SAMPLE = 1 << 14  # numbers of the rows that are used first
_SIGMAS = 8.0  # standard errors within which their mean must agree
_MAX_STEPS = 2000  # of the reference engine: a fifth of a second
_BLOCK = 1 << 17  # numbers
_TOLERANCE = {8: 1e-8, 4: 1e-3}
"""Relative tolerance by the bytes of a number: ten times that of the engines."""


def contradiction(data: Prepared, record: Record) -> str | None:
    """A phrase that says how the smallest reported loss is wrong; None if it is right, or if all lanes diverged.

    It is wrong if the difference is more than ten times the tolerance of the engines and more than the rounding error of
    this computation. Losses below 10⁻¹² times the mean of ``½ y²`` count as 0.
    """
    last = record.curves["loss"][:, :, -1].ravel()
    place = int(last.argmin())
    reported = float(last[place])
    if not math.isfinite(reported):
        place = int(np.where(np.isfinite(last), last, np.inf).argmin())
        reported = float(last[place])
        if not math.isfinite(reported):
            return None
    w, b = _parameters(record, *divmod(place, len(record.lrs)))
    X, y = data.X_train, data.y_train
    allowed = _TOLERANCE[X.itemsize]
    step = X.size // _SAMPLE
    with np.errstate(all="ignore"):
        if step > 1:
            X, y = X[::step], y[::step]
        error = X.dot(w)  # the method has a third of the operator's overhead
        error -= y
        error += b
        sampled, tolerance = float(error.dot(error)) / (2 * len(y)), allowed * reported
        if step > 1 or data.stored is not None:
            tolerance = _SIGMAS * float(np.std(0.5 * error * error)) / math.sqrt(len(y))
        if abs(sampled - reported) <= tolerance:
            return None
        rows = data.stored.train if data.stored else ArrayRows(data.X_train, data.y_train)
        measured, rounding, start = _measure(rows, w, b)
    if abs(measured - reported) <= allowed * max(measured, 1e-12 * start) + rounding:
        return None
    return f"a loss of {reported:.6g} where its weights give {measured:.6g}"


def false_divergence(problem: LinearProblem, record: Record) -> str | None:
    """A phrase that says that the smallest rate does not diverge although all lanes were reported to; else None.

    The reference engine trains the first epoch of this rate, with the first seed, unless that takes more than 2,000 steps.
    """
    losses = record.curves["loss"]
    k = int(problem.lrs.argmin())
    others = np.isfinite(losses[:, :, -1]).any() or np.isfinite(losses[0, k, 1])
    if others or problem.steps > _MAX_STEPS:
        return None
    once = replace(problem.take(np.array([k])), epochs=1, on_rows=None)
    *_, state = get_engine("reference").states(once)
    loss = float(state.measured["loss"][0])
    if not math.isfinite(loss):
        return None
    return f"that {problem.lrs[k]:g} diverges where it has a loss of {loss:.6g}"


def _parameters(record: Record, s: int, k: int) -> tuple[Float[Array, " d"], float]:
    """Parameters w and b of lane k of seed s, in the units of training."""
    (begun, states), *others = record.latest[s]
    if others or len(begun) != len(record.lrs):
        k, states = 0, record.state(s, np.array([k]))
    W, b = weights_of(states)
    return W[k], float(b[k])


def _measure(rows: Rows, w: Float[Array, " d"], b: float) -> tuple[float, float, float]:
    """The mean of ``½(x·w + b − y)²`` over all rows, a bound on its rounding error, and the mean of ``½ y²``."""
    per_block = max(1, _BLOCK // rows.d)
    total = rounding = start = 0.0
    for X, y in rows.blocks(per_block, range(-(-rows.n // per_block))):
        X, y = X.astype(np.float64, copy=False), y.astype(np.float64, copy=False)
        error = X @ w + (b - y)
        total += float(error @ error)
        rounding += float(np.abs(error) @ (np.abs(X) @ np.abs(w) + (abs(b) + np.abs(y))))
        start += float(y @ y)
    n, eps = 2 * rows.n, float(np.finfo(np.float64).eps)
    return total / n, 8 * eps * rounding / n, start / n
