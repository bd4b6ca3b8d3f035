"""Kernels: train lanes on the rows themselves, and their loss, where features are too many for Gram matrices.

With Z the gathered rows ``(z, 1, r)`` of a minibatch, the errors of a block of lanes are ``R = Z δ − r`` and
their gradient is ``Zᵀ R``: two products in tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.engines.kernels.compiled import compiled, inner
from learnrate.engines.kernels.grams import gather
from learnrate.engines.kernels.tiles import descend, lane_tile, store_difference, store_tile
from learnrate.engines.kernels.vectors import load_lanes, multiply, spread_lanes, store, subtract

__all__ = ["losses_on_rows", "train_on_rows"]

_zeros_8, _add_8 = lane_tile(8)
_zeros_1, _add_1 = lane_tile(1)
_store_8, _descend_8 = store_tile(8, 1), descend(8)
_difference_8, _difference_1 = store_difference(8), store_difference(1)


@inner
def _errors(
    Z: Any, rows: int, width: int, D: int, delta: Any, block: int, lanes: int, R: Any
) -> None:
    """``R ← Z δ − r``"""
    i = 0
    while i + 8 <= rows:
        tile = _add_8(_zeros_8(Z), Z, i * width, width, 1, delta, block, lanes, D)
        _difference_8(tile, Z, i * width + D, width, R, i * lanes, lanes)
        i += 8
    while i < rows:
        row = _add_1(_zeros_1(Z), Z, i * width, width, 1, delta, block, lanes, D)
        _difference_1(row, Z, i * width + D, width, R, i * lanes, lanes)
        i += 1


@inner
def _gradient(Z: Any, rows: int, width: int, D: int, lanes: int, R: Any, out: Any) -> None:
    """``out ← Zᵀ R``"""
    for i in range(0, D, 8):  # there is room for the rows of the last tile
        _store_8(_add_8(_zeros_8(Z), Z, i, 1, width, R, 0, lanes, rows), out, i * lanes, lanes)


@inner
def _step(
    Z: Any,
    rows: int,
    width: int,
    D: int,
    lanes: int,
    R: Any,
    delta: Any,
    block: int,
    nothing: Any,
    rates: Any,
) -> None:
    """``δ ← δ − rates · Zᵀ R``"""
    for i in range(0, D, 8):
        tile = _add_8(_zeros_8(Z), Z, i, 1, width, R, 0, lanes, rows)
        _descend_8(tile, delta, delta, block + i * lanes, lanes, nothing, 0, 0, rates)


@inner
def _add_errors(R: Any, rows: int, lanes: int, q: Any) -> None:
    """Add the sums of R's columns to ``q``, which is of float64: far from 0 errors have one sign."""
    for i in range(rows):
        for k in range(lanes):
            q[k] += R[i * lanes + k]


@inner
def _shift_back(gradient: Any, D: int, lanes: int, shift: Any, kappa: Any, q: Any) -> None:
    """Multiply by M of `learnrate.engines.anchor`, with ``q`` better summed than the gradient's last row."""
    last = (D - 1) * lanes
    for k in range(lanes):
        gradient[last + k] = 0
    for i in range(D - 1):
        for k in range(lanes):
            gradient[last + k] += shift[i] * gradient[i * lanes + k]
            gradient[i * lanes + k] += shift[i] * q[k]
    for k in range(lanes):  # last, since it is the largest term by far
        gradient[last + k] += kappa * q[k]


@inner
def _decay(
    gradient: Any, D: int, lanes: int, delta: Any, block: int, decay: Any, ref: Any, shift: Any
) -> None:
    """Add ``decay · w`` to the weights' gradient, and what that is in the anchor's coordinates."""
    last = (D - 1) * lanes
    for i in range(D - 1):
        for k in range(lanes):
            pull = decay * (delta[block + i * lanes + k] + ref[i])
            gradient[i * lanes + k] += pull
            gradient[last + k] += shift[i] * pull


@inner
def _descend(
    gradient: Any, D: int, lanes: int, delta: Any, velocity: Any, block: int, rates: Any, mu: Any
) -> None:
    """``velocity ← μ velocity + gradient``, ``δ ← δ − rates · velocity``; the gradient is lost."""
    if mu > 0:
        for k in range(D * lanes):
            gradient[k] += mu * velocity[block + k]
            velocity[block + k] = gradient[k]
    for i in range(D):
        change = multiply(rates, load_lanes(gradient, i * lanes))
        store(delta, block + i * lanes, subtract(load_lanes(delta, block + i * lanes), change))


@compiled
def train_on_rows(
    X: Any,
    y: Any,
    d: int,
    order: Any,
    batch_size: int,
    shift: Any,
    ref: Any,
    shifted: bool,
    decay: Any,
    kappa: Any,
    eta: Any,
    scales: Any,
    momentum: Any,
    first_block: int,
    stop_block: int,
    block_rows: int,
    lanes: int,
    delta: Any,
    velocity: Any,
    Z: Any,
    room: int,
    R: Any,
    gradient: Any,
    part: Any,
    nothing: Any,
    width: int,
    step: int,
) -> None:
    """All steps of an epoch with some blocks of lanes; ``decay = α |B|``, ``scales = s_t / |B|``.

    ``Z`` and ``R`` have ``room`` rows; ``gradient`` and ``part`` have room for a block;
    ``nothing`` holds a 0.
    """
    D = d + 1
    q = np.zeros(lanes)
    for t in range(scales.size):
        begin = t * batch_size
        end = min(begin + batch_size, order.size)
        small = end - begin <= room
        plain = small and not shifted and decay == 0 and momentum == 0
        for b in range(first_block, stop_block):
            block = b * block_rows * lanes
            rates = multiply(load_lanes(eta, b * lanes), spread_lanes(scales, t))
            q[:] = 0
            for at in range(begin, end, room):
                rows = min(room, end - at)
                if b == first_block or not small:
                    gather(X, y, d, order, at, at + rows, shift, ref, Z, width, step)
                _errors(Z, rows, width, D, delta, block, lanes, R)
                if plain:
                    _step(Z, rows, width, D, lanes, R, delta, block, nothing, rates)
                elif at == begin:
                    _gradient(Z, rows, width, D, lanes, R, gradient)
                else:
                    _gradient(Z, rows, width, D, lanes, R, part)
                    for k in range(D * lanes):
                        gradient[k] += part[k]
                if shifted:
                    _add_errors(R, rows, lanes, q)
            if plain:
                continue
            if shifted:
                _shift_back(gradient, D, lanes, shift, kappa, q)
            if decay > 0:
                _decay(gradient, D, lanes, delta, block, decay, ref, shift)
            _descend(gradient, D, lanes, delta, velocity, block, rates, momentum)


@compiled
def losses_on_rows(
    X: Any,
    y: Any,
    d: int,
    order: Any,
    shift: Any,
    ref: Any,
    first_block: int,
    stop_block: int,
    block_rows: int,
    lanes: int,
    delta: Any,
    Z: Any,
    room: int,
    R: Any,
    sums: Any,
    width: int,
    step: int,
) -> None:
    """Add the squared errors of the examples in ``order`` to ``sums``, one sum per lane."""
    for at in range(0, order.size, room):
        rows = min(room, order.size - at)
        gather(X, y, d, order, at, at + rows, shift, ref, Z, width, step)
        for b in range(first_block, stop_block):
            _errors(Z, rows, width, d + 1, delta, b * block_rows * lanes, lanes, R)
            for i in range(rows):
                for k in range(lanes):
                    error = R[i * lanes + k]
                    sums[b * lanes + k] += error * error
