"""Kernels that compute the parameters and losses of the lanes at the end of an epoch, in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learnrate.linear.kernels.arguments import Report
from learnrate.linear.kernels.compiled import compiled, inner

__all__ = ["PARTS", "close", "close_sums", "read_lanes", "report"]

PARTS = 16
"""Number of parts of a sum of matrices. A part is summed by one thread; parts are then added in a fixed order."""


@inner
def close_sums(sums: Any, width: int, n: int, Q: Any) -> None:
    """``Q ←`` the sum of all parts, divided by ``n``: the matrix of `learnrate.linear.losses.Quadratic`.

    The parts are filled on and above the diagonal; Q is filled below it by symmetry.
    """
    for i in range(len(Q)):
        for j in range(i, len(Q)):
            total = 0.0
            for part in range(PARTS):
                total += sums[(part * width + i) * width + j]
            Q[i, j] = Q[j, i] = total / n


@inner
def read_lanes(
    delta: Any, block_rows: int, lanes: int, report: Report, W: Any, b: Any, loss: Any
) -> None:
    """Compute ``W``, ``b`` and ``loss`` of all lanes in float64, and replace δ by ``(W, b)`` minus the anchor.

    So δ follows exactly from ``W`` and ``b``, and a run that is resumed from them gives the same bits. A loss that
    is not accurate enough, by ``report.trust``, is NaN. If ``report.Q`` is empty, ``loss`` is not changed.
    """
    w_ref, shift, Q, u = report.w_ref, report.shift, report.Q, report.u
    d = w_ref.size
    doubt, least, small = report.trust
    S, sizes = (d + 2) * lanes, (d + 3) * lanes
    for i in range(len(Q)):
        u[sizes + i] = math.sqrt(Q[i, i])
    for lane in range(0, b.size, lanes):
        block = lane * block_rows
        kept = min(lanes, b.size - lane)
        for k in range(kept):
            b[lane + k] = 0.0
        for j in range(d):
            for k in range(kept):
                w = delta[block + j * lanes + k] + w_ref[j]
                delta[block + j * lanes + k] = w - w_ref[j]
                u[j * lanes + k] = delta[block + j * lanes + k]
                W[lane + k, j] = w
                b[lane + k] += shift[j] * w
        for k in range(kept):
            known = b[lane + k]
            b[lane + k] = delta[block + d * lanes + k] + report.beta - known
            delta[block + d * lanes + k] = b[lane + k] + known - report.beta
            u[d * lanes + k] = delta[block + d * lanes + k]
            u[(d + 1) * lanes + k] = -1.0
        if not Q.size:
            continue
        for k in range(kept):
            loss[lane + k] = u[S + k] = 0.0
        for i in range(d + 2):
            for k in range(kept):
                u[S + k] += u[sizes + i] * abs(u[i * lanes + k])
            for j in range(d + 2):
                q = 0.5 * Q[i, j]
                for k in range(kept):
                    loss[lane + k] += q * u[i * lanes + k] * u[j * lanes + k]
        for k in range(kept):
            bound, known = doubt * u[S + k] * u[S + k] + least, loss[lane + k]
            if not (bound <= max(known, small) and known > 0.0):
                loss[lane + k] = np.nan


report = compiled(read_lanes.py_func)
"""`read_lanes` as a kernel of its own."""

close = compiled(close_sums.py_func)
"""`close_sums` as a kernel of its own."""
