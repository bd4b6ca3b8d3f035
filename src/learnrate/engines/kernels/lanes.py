"""The steps of all lanes, given the Gram matrices of their minibatches.

A block of lanes is one vector wide and has a row for each parameter. It stays in the nearest cache while it
goes through many steps, and then the next block does.
"""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import inner
from learnrate.engines.kernels.grams import tile_rows
from learnrate.engines.kernels.tiles import descend, descend_with_momentum, lane_tile
from learnrate.engines.kernels.vectors import load_lanes, multiply, spread_lanes

__all__ = ["gram_steps"]


def _block_stepper(rows: int) -> Any:
    """The steps of a block, in tiles of so many rows."""
    zeros, accumulate = lane_tile(rows)
    plain, with_momentum = descend(rows), descend_with_momentum(rows)

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
        lane: int,
        block: int,
        lanes: int,
        old: Any,
        new: Any,
        velocity: Any,
    ) -> None:
        for t in range(first, stop):
            rates = multiply(load_lanes(eta, lane), spread_lanes(scales, t))
            for i in range(0, D, rows):
                column = (t - first) * width * width + i
                row = column + i * (width - 1)
                # Of a symmetric G there are the tiles on the diagonal and what is above them.
                above = i if symmetric else 0
                tile = accumulate(zeros(G), G, column, 1, width, old, block, lanes, above)
                rest = block + above * lanes
                tile = accumulate(tile, G, row + above, width, 1, old, rest, lanes, D - above)
                at, c = block + i * lanes, row + D
                if momentum > 0:
                    with_momentum(tile, old, new, velocity, at, lanes, G, c, width, rates, momentum)
                else:
                    plain(tile, old, new, at, lanes, G, c, width, rates)
            old, new = new, old

    return steps


_steps_4, _steps_5, _steps_6, _steps_7, _steps_8 = (_block_stepper(rows) for rows in range(4, 9))


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
    first_block: int,
    stop_block: int,
    rows: int,
    lanes: int,
    old: Any,
    new: Any,
    velocity: Any,
) -> None:
    """Take the steps ``first, …, stop − 1``, whose matrices are in G, with some blocks of lanes.

    A block has ``rows`` rows. ``old`` holds parameters before and after; ``new`` is room for as many.
    """
    size = tile_rows(D)
    for b in range(first_block, stop_block):
        lane, block = b * lanes, b * rows * lanes
        if size == 8:
            _steps_8(
                G, width, symmetric, D, eta, scales, first, stop, momentum,
                lane, block, lanes, old, new, velocity,
            )  # fmt: skip
        elif size == 7:
            _steps_7(
                G, width, symmetric, D, eta, scales, first, stop, momentum,
                lane, block, lanes, old, new, velocity,
            )  # fmt: skip
        elif size == 6:
            _steps_6(
                G, width, symmetric, D, eta, scales, first, stop, momentum,
                lane, block, lanes, old, new, velocity,
            )  # fmt: skip
        elif size == 5:
            _steps_5(
                G, width, symmetric, D, eta, scales, first, stop, momentum,
                lane, block, lanes, old, new, velocity,
            )  # fmt: skip
        else:
            _steps_4(
                G, width, symmetric, D, eta, scales, first, stop, momentum,
                lane, block, lanes, old, new, velocity,
            )  # fmt: skip
        if (stop - first) % 2:
            for k in range(block, block + D * lanes):
                old[k] = new[k]
