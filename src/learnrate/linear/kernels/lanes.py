"""The steps of all lanes, given the Gram matrices of their minibatches.

A block of lanes is one vector wide and has a row for each parameter. It takes many steps before the next block does, so
that it stays in the nearest cache. Below the parameters it has a row of −1, so that ``(G, c) (δ, −1) = G δ − c`` is one
product.
"""

from __future__ import annotations

from typing import Any

from learnrate.linear.kernels.arguments import Lanes
from learnrate.linear.kernels.compiled import inner
from learnrate.linear.kernels.vectors import TILE, descend, lane_product

__all__ = ["gram_steps", "step"]


@inner
def gram_steps(
    G: Any,
    width: int,
    symmetric: bool,
    D: int,
    lanes: Lanes,
    scales: Any,
    first: int,
    stop: int,
    gradient: Any,
) -> None:
    """Take the steps ``first, …, stop − 1``, whose matrices are in G: ``v ← μ v + G δ − c``, ``δ ← δ − η s v``.

    Without momentum ``gradient`` is used in place of the velocity v.
    """
    n, delta = lanes.count, lanes.delta
    with_momentum = lanes.momentum > 0
    change = lanes.velocity if with_momentum else gradient
    for b in range(lanes.first, lanes.stop):
        block = b * lanes.rows * n
        to = block if with_momentum else 0
        for t in range(first, stop):
            g = (t - first) * width * width
            for i in range(0, D, TILE):
                # Of a symmetric G there are the tiles on the diagonal and what is above them.
                above = i if symmetric else 0
                row, rest = g + i * width + above, block + above * n
                lane_product(
                    change, to + i * n, lanes.momentum, G, delta, n,
                    row, width, 1, rest, D + 1 - above, g + i, 1, width, block, above,
                )  # fmt: skip
            step(lanes, D, b, scales[t], change, to)


@inner
def step(lanes: Lanes, D: int, b: int, scale: Any, change: Any, at: int) -> None:
    """``δ ← δ − η · scale · change`` in block ``b``; the change is read from ``change[at]`` on."""
    n = lanes.count
    for i in range(b * lanes.rows, b * lanes.rows + D):
        descend(lanes.delta, i * n, lanes.eta, b * n, scale, change, at)
        at += n
