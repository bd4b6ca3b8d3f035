"""The steps of all lanes, given the Gram matrices of their minibatches.

A block of lanes is one vector wide and has a row for each parameter. It stays in the nearest cache while it
goes through many steps, and then the next block does.
"""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import inlined, inner
from learnrate.engines.kernels.tiles import descend, descend_with_momentum, lane_tile

__all__ = ["gram_steps"]


def _stepper(rows: int) -> Any:
    """One step of so many rows of a block."""
    zeros, accumulate = lane_tile(rows)
    plain, with_momentum = descend(rows), descend_with_momentum(rows)

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


_advance_8, _advance_4 = _stepper(8), _stepper(4)


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
    rates: Any,
) -> None:
    """Take the steps ``first, …, stop − 1``, whose matrices are in G, with some blocks of lanes.

    A block has ``rows`` rows, at least D rounded up to a multiple of 8. ``old`` holds parameters before and
    after; ``new`` is room for as many.
    """
    for b in range(first_block, stop_block):
        block = b * rows * lanes
        here, there = old, new
        for t in range(first, stop):
            g = (t - first) * width * width
            for k in range(lanes):
                rates[k] = eta[b * lanes + k] * scales[t]
            i = 0
            while i + 4 < D:
                _advance_8(
                    G, g, width, symmetric, D, i, here, there, velocity, block, lanes, rates, momentum
                )  # fmt: skip
                i += 8
            if i < D:
                _advance_4(
                    G, g, width, symmetric, D, i, here, there, velocity, block, lanes, rates, momentum
                )  # fmt: skip
            here, there = there, here
        if (stop - first) % 2:
            for k in range(block, block + D * lanes):
                old[k] = new[k]
