"""Is the last loss of a sweep what its parameters give? Measured once more, by other code, before it is reported.

The engines bound the rounding of what they report. This is for what no one thought of: the lane with the least loss,
the one that will be suggested, is measured on the rows as they are, in float64. Of many rows some are looked at, and
all of them only if these leave a doubt.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.data.rows import ArrayRows, Rows
from learnrate.linear.choose import get_engine
from learnrate.linear.problem import LinearProblem
from learnrate.training.record import Record

__all__ = ["contradiction", "false_divergence"]

_LOOKED_AT = 1 << 14  # numbers
_SIGMAS = 8.0
_STEPS = 2000  # of the reference engine: a fifth of a second
_BLOCK = 1 << 17  # numbers
_ALLOWED = {8: 1e-8, 4: 1e-3}
"""Ten times what the engines allow, by the bytes of a number."""


def contradiction(data: Prepared, record: Record) -> str | None:
    """What is wrong with the least loss that was reported: a phrase; None if it is right, or if all lanes diverged.

    A difference counts where it is more than ten times what engines may be off by, more than what the measurement's
    own rounding explains, and of a loss that is not below 10⁻¹² of the labels' size.
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
    allowed = _ALLOWED[X.itemsize]
    step = X.size // _LOOKED_AT
    with np.errstate(all="ignore"):
        if step > 1:
            X, y = X[::step], y[::step]
        error = X.dot(w)  # the method has a third of the operator's overhead
        error -= y
        error += b
        seen, apart = float(error.dot(error)) / (2 * len(y)), allowed * reported
        if step > 1 or data.stored is not None:
            apart = _SIGMAS * float(np.std(0.5 * error * error)) / math.sqrt(len(y))
        if abs(seen - reported) <= apart:
            return None
        rows = data.stored.train if data.stored else ArrayRows(data.X_train, data.y_train)
        measured, rounding, start = _measure(rows, w, b)
    if abs(measured - reported) <= allowed * max(measured, 1e-12 * start) + rounding:
        return None
    return f"a loss of {reported:.6g} where its weights give {measured:.6g}"


def false_divergence(problem: LinearProblem, record: Record) -> str | None:
    """Whether the smallest rate of the first seed diverges, as all have: a phrase if it does not; else None.

    Its first epoch is trained once more by the reference engine, unless that has many steps.
    """
    losses = record.curves["loss"]
    k = int(problem.lrs.argmin())
    others = np.isfinite(losses[:, :, -1]).any() or np.isfinite(losses[0, k, 1])
    if others or problem.steps > _STEPS:
        return None
    once = replace(problem.take(np.array([k])), epochs=1, on_rows=None)
    *_, state = get_engine("reference").states(once)
    loss = float(state.measured["loss"][0])
    if not math.isfinite(loss):
        return None
    return f"that {problem.lrs[k]:g} diverges where it has a loss of {loss:.6g}"


def _parameters(record: Record, s: int, k: int) -> tuple[Float[Array, " d"], float]:
    """Of one lane, as it was trained."""
    (begun, states), *others = record.latest[s]
    if others or len(begun) != len(record.lrs):
        k, states = 0, record.state(s, np.array([k]))
    return states.arrays["W"][k], float(states.arrays["b"][k])


def _measure(rows: Rows, w: Float[Array, " d"], b: float) -> tuple[float, float, float]:
    """Mean of ``½(x·w + b − y)²`` over all rows, its rounding, and the mean of ``½ y²``."""
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
