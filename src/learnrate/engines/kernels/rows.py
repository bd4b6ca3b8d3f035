"""Kernels: train lanes on the rows themselves, and their loss, where features are too many for Gram matrices.

With Z the gathered rows ``(z, 1, r)`` of a minibatch and ``δ`` extended by a row of −1, the errors of all
lanes are ``R = Z δ`` and their gradients ``Zᵀ R``: two products in tiles, each thread with lanes of its own.
"""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import compiled, inner
from learnrate.engines.kernels.grams import gather
from learnrate.engines.kernels.tiles import descend, lane_tile, store_tile

__all__ = ["losses_on_rows", "train_on_rows"]


def _block_kernels(vectors: int) -> tuple[Any, Any, Any]:
    """For a block of so many vectors of lanes: ``R = Z δ``, the gradient ``Zᵀ R``, and a step by it."""
    zeros_4, add_4 = lane_tile(4, vectors)
    zeros_1, add_1 = lane_tile(1, vectors)
    write_4, write_1 = store_tile(4, vectors), store_tile(1, vectors)
    descend_4, descend_1 = descend(4, vectors), descend(1, vectors)

    @inner
    def errors(
        Z: Any, rows: int, width: int, terms: int, delta: Any, block: int, lanes: int, R: Any
    ) -> None:
        i = 0
        while i + 4 <= rows:
            tile = add_4(zeros_4(Z), Z, i * width, width, 1, delta, block, lanes, terms)
            write_4(tile, R, i * lanes, lanes)
            i += 4
        while i < rows:
            row = add_1(zeros_1(Z), Z, i * width, width, 1, delta, block, lanes, terms)
            write_1(row, R, i * lanes, lanes)
            i += 1

    @inner
    def gradients(Z: Any, rows: int, width: int, D: int, lanes: int, R: Any, out: Any) -> None:
        for i in range(0, D, 4):  # there is room for the rows of the last tile
            write_4(add_4(zeros_4(Z), Z, i, 1, width, R, 0, lanes, rows), out, i * lanes, lanes)

    @inner
    def steps(
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
        i = 0
        while i + 4 <= D:
            tile = add_4(zeros_4(Z), Z, i, 1, width, R, 0, lanes, rows)
            descend_4(tile, delta, delta, block + i * lanes, lanes, nothing, 0, 0, rates)
            i += 4
        while i < D:
            row = add_1(zeros_1(Z), Z, i, 1, width, R, 0, lanes, rows)
            descend_1(row, delta, delta, block + i * lanes, lanes, nothing, 0, 0, rates)
            i += 1

    return errors, gradients, steps


_errors_4, _gradients_4, _steps_4 = _block_kernels(4)
_errors_2, _gradients_2, _steps_2 = _block_kernels(2)
_errors_1, _gradients_1, _steps_1 = _block_kernels(1)


@inner
def _errors(
    vectors: int,
    Z: Any,
    rows: int,
    width: int,
    terms: int,
    delta: Any,
    block: int,
    lanes: int,
    R: Any,
) -> None:
    if vectors == 4:
        _errors_4(Z, rows, width, terms, delta, block, lanes, R)
    elif vectors == 2:
        _errors_2(Z, rows, width, terms, delta, block, lanes, R)
    else:
        _errors_1(Z, rows, width, terms, delta, block, lanes, R)


@inner
def _gradients(
    vectors: int, Z: Any, rows: int, width: int, D: int, lanes: int, R: Any, out: Any
) -> None:
    if vectors == 4:
        _gradients_4(Z, rows, width, D, lanes, R, out)
    elif vectors == 2:
        _gradients_2(Z, rows, width, D, lanes, R, out)
    else:
        _gradients_1(Z, rows, width, D, lanes, R, out)


@inner
def _step(
    vectors: int,
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
    if vectors == 4:
        _steps_4(Z, rows, width, D, lanes, R, delta, block, nothing, rates)
    elif vectors == 2:
        _steps_2(Z, rows, width, D, lanes, R, delta, block, nothing, rates)
    else:
        _steps_1(Z, rows, width, D, lanes, R, delta, block, nothing, rates)


@inner
def _shift_back(gradient: Any, D: int, lanes: int, shift: Any) -> None:
    """Multiply by M of `learnrate.engines.anchor`."""
    last = (D - 1) * lanes
    for i in range(D - 1):
        for k in range(lanes):
            gradient[i * lanes + k] += shift[i] * gradient[last + k]
    for i in range(D - 1):
        for k in range(lanes):
            gradient[last + k] += shift[i] * gradient[i * lanes + k]


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
    """``velocity ← μ velocity + gradient``, ``δ ← δ − rates · velocity``."""
    for i in range(D):
        at = i * lanes
        for k in range(lanes):
            if mu > 0:
                gradient[at + k] += mu * velocity[block + at + k]
                velocity[block + at + k] = gradient[at + k]
            delta[block + at + k] -= rates[k] * gradient[at + k]


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
    eta: Any,
    scales: Any,
    momentum: Any,
    blocks: Any,
    lane_rows: int,
    delta: Any,
    velocity: Any,
    Z: Any,
    room: int,
    R: Any,
    gradient: Any,
    part: Any,
    rates: Any,
    nothing: Any,
    width: int,
    step: int,
) -> None:
    """All steps of an epoch with some blocks of lanes; ``decay = α |B|``, ``scales = s_t / |B|``.

    ``Z`` and ``R`` have ``room`` rows; ``gradient`` and ``part`` have room for a block, ``rates`` for its
    lanes; ``nothing`` holds a 0.
    """
    D = d + 1
    for t in range(scales.size):
        begin = t * batch_size
        end = min(begin + batch_size, order.size)
        plain = end - begin <= room and not shifted and decay == 0 and momentum == 0
        for b in range(blocks.shape[0]):
            lane, lanes, vectors = blocks[b, 0], blocks[b, 1], blocks[b, 2]
            block = lane * lane_rows
            for k in range(lanes):
                rates[k] = eta[lane + k] * scales[t]
            for at in range(begin, end, room):
                rows = min(room, end - at)
                if b == 0 or end - begin > room:
                    gather(X, y, d, order, at, at + rows, shift, ref, Z, width, step)
                _errors(vectors, Z, rows, width, D + 1, delta, block, lanes, R)
                if plain:
                    _step(vectors, Z, rows, width, D, lanes, R, delta, block, nothing, rates)
                elif at == begin:
                    _gradients(vectors, Z, rows, width, D, lanes, R, gradient)
                else:
                    _gradients(vectors, Z, rows, width, D, lanes, R, part)
                    for k in range(D * lanes):
                        gradient[k] += part[k]
            if plain:
                continue
            if shifted:
                _shift_back(gradient, D, lanes, shift)
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
    blocks: Any,
    lane_rows: int,
    delta: Any,
    Z: Any,
    room: int,
    R: Any,
    sums: Any,
    width: int,
    step: int,
    first: int,
    stop: int,
) -> None:
    """Add the squared errors of examples ``order[first:stop]`` to ``sums``, one sum per lane."""
    for at in range(first, stop, room):
        rows = min(room, stop - at)
        gather(X, y, d, order, at, at + rows, shift, ref, Z, width, step)
        for b in range(blocks.shape[0]):
            lane, lanes, vectors = blocks[b, 0], blocks[b, 1], blocks[b, 2]
            _errors(vectors, Z, rows, width, d + 2, delta, lane * lane_rows, lanes, R)
            for i in range(rows):
                for k in range(lanes):
                    error = R[i * lanes + k]
                    sums[lane + k] += error * error
