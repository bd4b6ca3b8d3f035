"""Kernels that train lanes on the rows themselves, and compute their loss, if there are too many features for Gram matrices.

With Z the gathered rows ``(z, 1, r)`` of a minibatch, the errors of a block of lanes are ``R = Z (δ, −1)`` and
their gradient is ``Zᵀ R``: two products in tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.linear.kernels.arguments import Lanes, Rows, Scratch, Steps
from learnrate.linear.kernels.compiled import compiled, inner
from learnrate.linear.kernels.grams import gather
from learnrate.linear.kernels.lanes import step
from learnrate.linear.kernels.vectors import TILE, lane_product

__all__ = ["losses_on_rows", "train_on_rows"]


@inner
def _errors(scratch: Scratch, count: int, D: int, lanes: Lanes, block: int) -> None:
    """``R ← Z (δ, −1)``: the errors of ``count`` rows, rounded up to whole tiles."""
    Z, width, n = scratch.Z, scratch.width, lanes.count
    for i in range(0, count, TILE):
        lane_product(
            scratch.R, i * n, 0.0, Z, lanes.delta, n, i * width, width, 1, block, D + 1, 0, 0, 0, 0, 0
        )  # fmt: skip


@inner
def _gradient(scratch: Scratch, count: int, D: int, n: int, kept: float) -> None:
    """``gradient ← kept · gradient + Zᵀ R`` for ``count`` rows; ``gradient`` has room for whole tiles."""
    Z, width, R = scratch.Z, scratch.width, scratch.R
    for i in range(0, D, TILE):
        lane_product(
            scratch.gradient, i * n, kept, Z, R, n, i, 1, width, 0, count, 0, 0, 0, 0, 0
        )  # fmt: skip


@inner
def _add_errors(R: Any, count: int, n: int, q: Any) -> None:
    """Add the sums of R's columns to ``q``, in float64, because large errors have the same sign."""
    for i in range(count):
        for k in range(n):
            q[k] += R[i * n + k]


@inner
def _shift_back(gradient: Any, rows: Rows, n: int, q: Any) -> None:
    """Multiply the gradient by M of `learnrate.linear.anchor`; ``q`` replaces its last row, which is less accurate."""
    shift, last = rows.shift, rows.d * n
    for k in range(n):
        gradient[last + k] = 0
    for i in range(rows.d):
        for k in range(n):
            gradient[last + k] += shift[i] * gradient[i * n + k]
            gradient[i * n + k] += shift[i] * q[k]
    for k in range(n):  # last, since it is the largest term by far
        gradient[last + k] += rows.kappa * q[k]


@inner
def _decay(gradient: Any, rows: Rows, lanes: Lanes, block: int) -> None:
    """Add the gradient of the weight decay, ``decay · w``, in the coordinates of the anchor."""
    n, last = lanes.count, rows.d * lanes.count
    for i in range(rows.d):
        for k in range(n):
            pull = rows.decay * (lanes.delta[block + i * n + k] + rows.ref[i])
            gradient[i * n + k] += pull
            gradient[last + k] += rows.shift[i] * pull


@inner
def _speed_up(gradient: Any, lanes: Lanes, block: int, count: int) -> None:
    """``velocity ← μ velocity + gradient``, written to both."""
    velocity = lanes.velocity
    for k in range(count):
        gradient[k] += lanes.momentum * velocity[block + k]
        velocity[block + k] = gradient[k]


@compiled
def train_on_rows(rows: Rows, lanes: Lanes, steps: Steps, scratch: Scratch) -> None:
    """Train some blocks of lanes for an epoch."""
    D, n, order, scales = rows.d + 1, lanes.count, steps.orders[0], steps.scales[0]
    q = np.zeros(n)
    for t in range(scales.size):
        begin = t * steps.batch_size
        end = min(begin + steps.batch_size, order.size)
        small = end - begin <= scratch.room
        for b in range(lanes.first, lanes.stop):
            block = b * lanes.rows * n
            q[:] = 0
            for at in range(begin, end, scratch.room):
                count = min(scratch.room, end - at)
                if b == lanes.first or not small:
                    gather(rows, order, at, at + count, scratch.Z, scratch.width)
                _errors(scratch, count, D, lanes, block)
                _gradient(scratch, count, D, n, 1.0 if at > begin else 0.0)
                if rows.shifted:
                    _add_errors(scratch.R, count, n, q)
            if rows.shifted:
                _shift_back(scratch.gradient, rows, n, q)
            if rows.decay > 0:
                _decay(scratch.gradient, rows, lanes, block)
            if lanes.momentum > 0:
                _speed_up(scratch.gradient, lanes, block, D * n)
            step(lanes, D, b, scales[t], scratch.gradient, 0)


@compiled
def losses_on_rows(rows: Rows, lanes: Lanes, order: Any, scratch: Scratch, sums: Any) -> None:
    """Add the squared errors of the examples in ``order`` to ``sums``, one sum per lane."""
    n, R = lanes.count, scratch.R
    for at in range(0, order.size, scratch.room):
        count = min(scratch.room, order.size - at)
        gather(rows, order, at, at + count, scratch.Z, scratch.width)
        for b in range(lanes.first, lanes.stop):
            _errors(scratch, count, rows.d + 1, lanes, b * lanes.rows * n)
            for i in range(count):
                for k in range(n):
                    error = R[i * n + k]
                    sums[b * n + k] += error * error
