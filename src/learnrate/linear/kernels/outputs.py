"""Kernels that train lanes of a model with one output or several, and compute its loss, without Gram matrices.

With Z the gathered rows ``(x, 1)`` of a minibatch, a step of a block of lanes is, for each output c::

    R_c = Z θ_c        R ← φ'(R, y)        g_c = Z_cᵀ R_c / |B| + α w_c        v_c ← μ v_c + g_c        θ_c ← θ_c − η s v_c

Products are made in the tiles of `learnrate.linear.kernels.vectors`, slopes a vector of lanes at a time.
"""

from __future__ import annotations

import math
from typing import Any

from learnrate.linear.kernels.arguments import Examples, Outputs, Room
from learnrate.linear.kernels.compiled import compiled, inner
from learnrate.linear.kernels.elementary import FORMULAS
from learnrate.linear.kernels.vectors import TILE, descend, lane_product, prefetch

__all__ = ["KINDS", "measure_outputs", "train_outputs"]

KINDS = tuple(FORMULAS)
"""The names of the losses; kernels are given the position in this tuple."""

LOGISTIC, SOFTMAX, HUBER, POISSON = range(4)
_AHEAD, _LINE = 2048, 64  # as in `learnrate.linear.kernels.grams`

_logistic, _softmax, _huber, _poisson = (FORMULAS[name].slope for name in KINDS)
_of_logistic, _of_softmax, _of_huber, _of_poisson = (FORMULAS[name].measure for name in KINDS)


@inner
def _gather(examples: Examples, order: Any, first: int, stop: int, room: Room) -> None:
    """Copy examples ``order[first:stop]`` to the rows ``(x, 1, 0, …)`` of Z, and their labels. The zeros are there already."""
    X, y, d, Z = examples.X, examples.y, examples.d, room.Z
    last = order.size - 1
    lead = max(4, _AHEAD // d)
    line = _LINE // X.itemsize
    row = 0
    for position in range(first, stop):
        ahead = order[min(position + lead, last)]
        prefetch(y, ahead)
        for j in range(0, d, line):
            prefetch(X, ahead * d + j)
        prefetch(X, ahead * d + d - 1)
        i = order[position]
        from_, to = X[i * d : i * d + d], Z[row : row + d]
        for j in range(d):
            to[j] = from_[j]
        Z[row + d] = 1
        room.labels[position - first] = y[i]
        row += room.width


@inner
def _outputs(lanes: Outputs, room: Room, count: int, D: int, block: int) -> None:
    """``R_c ← Z θ_c`` for ``count`` rows, rounded up to whole tiles, and all outputs."""
    n, width = lanes.count, room.width
    for c in range(lanes.outputs):
        theta = block + c * lanes.rows * n
        for i in range(0, count, TILE):
            lane_product(
                room.R, (c * room.rows + i) * n, 0.0, room.Z, lanes.theta, n,
                i * width, width, 1, theta, D, 0, 0, 0, 0, 0,
            )  # fmt: skip


@inner
def _slopes(lanes: Outputs, room: Room, count: int) -> None:
    """``R ← φ'(R, y)``: replace the outputs of ``count`` rows by the derivatives of their losses."""
    n, C, R, labels, option = lanes.count, lanes.outputs, room.R, room.labels, lanes.option
    stride = room.rows * n
    if lanes.kind == LOGISTIC:
        for i in range(count):
            _logistic(R, i * n, stride, C, labels[i], option)
    elif lanes.kind == SOFTMAX:
        for i in range(count):
            _softmax(R, i * n, stride, C, labels[i], option)
    elif lanes.kind == HUBER:
        for i in range(count):
            _huber(R, i * n, stride, C, labels[i], option)
    else:
        for i in range(count):
            _poisson(R, i * n, stride, C, labels[i], option)


@inner
def _gradient(lanes: Outputs, room: Room, count: int, D: int, kept: float) -> None:
    """``gradient_c ← kept · gradient_c + Zᵀ R_c`` for ``count`` rows and all outputs c."""
    n, width = lanes.count, room.width
    for c in range(lanes.outputs):
        for i in range(0, D, TILE):
            lane_product(
                room.gradient, (c * lanes.rows + i) * n, kept, room.Z, room.R, n,
                i, 1, width, c * room.rows * n, count, 0, 0, 0, 0, 0,
            )  # fmt: skip


@inner
def _speed_up(lanes: Outputs, change: Any, at: int, theta: int, D: int, inverse: Any) -> None:
    """``v ← μ v + inverse · gradient + α w``, written to both v and the gradient, for one output of a block.

    The bias has no weight decay α.
    """
    n, velocity = lanes.count, lanes.velocity
    decayed = (D - 1) * n
    for k in range(D * n):
        change[at + k] *= inverse
    if lanes.decay > 0:
        for k in range(decayed):
            change[at + k] += lanes.decay * lanes.theta[theta + k]
    if lanes.momentum > 0:
        for k in range(D * n):
            change[at + k] += lanes.momentum * velocity[theta + k]
            velocity[theta + k] = change[at + k]


@compiled
def train_outputs(
    examples: Examples, lanes: Outputs, order: Any, scales: Any, batch_size: int, room: Room
) -> None:
    """Train some blocks of lanes for an epoch; ``scales`` has the multiplier ``s_t`` of each step."""
    D, n, C = examples.d + 1, lanes.count, lanes.outputs
    size = lanes.rows * n
    inverse = scales.dtype.type(1) / scales.dtype.type(batch_size)
    plain = lanes.momentum == 0 and lanes.decay == 0
    for t in range(scales.size):
        begin = t * batch_size
        end = min(begin + batch_size, order.size)
        small = end - begin <= room.rows
        scale = scales[t] * inverse if plain else scales[t]
        for b in range(lanes.first, lanes.stop):
            block = b * C * size
            for at in range(begin, end, room.rows):
                count = min(room.rows, end - at)
                if b == lanes.first or not small:
                    _gather(examples, order, at, at + count, room)
                _outputs(lanes, room, count, D, block)
                _slopes(lanes, room, count)
                _gradient(lanes, room, count, D, 1.0 if at > begin else 0.0)
            for c in range(C):
                theta = block + c * size
                if not plain:
                    _speed_up(lanes, room.gradient, c * size, theta, D, inverse)
                for i in range(0, D * n, n):
                    descend(
                        lanes.theta, theta + i, lanes.eta, b * n, scale, room.gradient, c * size + i
                    )


@compiled
def measure_outputs(
    examples: Examples, lanes: Outputs, order: Any, room: Room, sums: Any, fits: Any
) -> None:
    """Add the losses of the examples in ``order`` to ``sums``, and their parts of the score to ``fits``, for each lane."""
    n, C, R, labels = lanes.count, lanes.outputs, room.R, room.labels
    stride, option = room.rows * n, lanes.option
    for at in range(0, order.size, room.rows):
        count = min(room.rows, order.size - at)
        _gather(examples, order, at, at + count, room)
        for b in range(lanes.first, lanes.stop):
            _outputs(lanes, room, count, examples.d + 1, b * C * lanes.rows * n)
            k = b * n
            if lanes.kind == LOGISTIC:
                for i in range(count):
                    _of_logistic(R, i * n, stride, C, labels[i], option, sums, fits, k)
            elif lanes.kind == SOFTMAX:
                for i in range(count):
                    _of_softmax(R, i * n, stride, C, labels[i], option, sums, fits, k)
            elif lanes.kind == HUBER:
                for i in range(count):
                    _of_huber(R, i * n, stride, C, labels[i], option, sums, fits, k)
            else:
                for i in range(count):
                    y = labels[i]
                    constant = y * math.log(y) - y if y > 0 else y
                    _of_poisson(R, i * n, stride, C, y, constant, sums, fits, k)
