"""The steps of all lanes, given the Gram matrices of their minibatches.

Lanes lie in blocks of one, two or four vectors. A block is a matrix with a row for each parameter, small
enough for the nearest cache, and goes through many steps before the next block is touched.
"""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import inlined, inner
from learnrate.engines.kernels.tiles import descend, descend_with_momentum, lane_tile
from learnrate.engines.kernels.vectors import WIDE

__all__ = ["BLOCK_VECTORS", "gram_steps"]

BLOCK_VECTORS = (4, 2, 1) if WIDE else (2, 1)
"""Vectors in a block of lanes: with 4 rows of a tile, as many as the registers hold; or fewer."""


def _row_stepper(rows: int, vectors: int) -> Any:
    """One step of some rows of a block."""
    zeros, accumulate = lane_tile(rows, vectors)
    plain, with_momentum = descend(rows, vectors), descend_with_momentum(rows, vectors)

    @inlined
    def advance(
        G: Any,
        g: int,
        width: int,
        symmetric: bool,
        D: int,
        i: int,
        old: Any,
        new: Any,
        velocity: Any,
        block: int,
        lanes: int,
        rates: Any,
        momentum: Any,
    ) -> None:
        # Of a symmetric G only the part on and above the diagonal is there.
        above = i if symmetric else 0
        row = g + i * width
        tile = accumulate(zeros(G), G, g + i, 1, width, old, block, lanes, above)
        rest = block + above * lanes
        tile = accumulate(tile, G, row + above, width, 1, old, rest, lanes, D - above)
        at = block + i * lanes
        if momentum > 0:
            with_momentum(tile, old, new, velocity, at, lanes, G, row + D, width, rates, momentum)
        else:
            plain(tile, old, new, at, lanes, G, row + D, width, rates)

    return advance


def _stepper(vectors: int) -> Any:
    """All steps of a block."""
    advance_4, advance_1 = _row_stepper(4, vectors), _row_stepper(1, vectors)

    @inner
    def steps(
        G: Any,
        width: int,
        symmetric: bool,
        D: int,
        eta: Any,
        scales: Any,
        first: int,
        stop: int,
        momentum: Any,
        old: Any,
        new: Any,
        velocity: Any,
        block: int,
        lanes: int,
        rates: Any,
    ) -> None:
        for t in range(first, stop):
            g = (t - first) * width * width
            for k in range(lanes):
                rates[k] = eta[k] * scales[t]
            i = 0
            while i + 3 <= D:  # a fourth row that is not there is room left for it
                advance_4(
                    G, g, width, symmetric, D, i, old, new, velocity, block, lanes, rates, momentum
                )
                i += 4
            while i < D:
                advance_1(
                    G, g, width, symmetric, D, i, old, new, velocity, block, lanes, rates, momentum
                )
                i += 1
            old, new = new, old
        if (stop - first) % 2:
            for k in range(block, block + D * lanes):
                new[k] = old[k]

    return steps


_steps = {vectors: _stepper(vectors) for vectors in (1, 2, 4)}
_steps_1, _steps_2, _steps_4 = _steps[1], _steps[2], _steps[4]


@inner
def gram_steps(
    G: Any,
    width: int,
    symmetric: bool,
    D: int,
    eta: Any,
    scales: Any,
    first: int,
    stop: int,
    momentum: Any,
    blocks: Any,
    rows: int,
    old: Any,
    new: Any,
    velocity: Any,
    rates: Any,
) -> None:
    """Take the steps ``first, …, stop − 1``, whose matrices are in G, with every block of lanes.

    Each row of ``blocks`` holds a block's first lane, its lanes and its vectors; a block has ``rows`` rows.
    ``old`` holds parameters before and after; ``new`` is room for as many.
    """
    for b in range(blocks.shape[0]):
        lane, lanes, vectors = blocks[b, 0], blocks[b, 1], blocks[b, 2]
        block, eta_b = lane * rows, eta[lane : lane + lanes]
        if vectors == 4:
            _steps_4(
                G, width, symmetric, D, eta_b, scales, first, stop, momentum,
                old, new, velocity, block, lanes, rates,
            )  # fmt: skip
        elif vectors == 2:
            _steps_2(
                G, width, symmetric, D, eta_b, scales, first, stop, momentum,
                old, new, velocity, block, lanes, rates,
            )  # fmt: skip
        else:
            _steps_1(
                G, width, symmetric, D, eta_b, scales, first, stop, momentum,
                old, new, velocity, block, lanes, rates,
            )  # fmt: skip
