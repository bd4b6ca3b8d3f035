"""Kernel: train all lanes of a seed through minibatch Gram matrices."""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import compiled
from learnrate.engines.kernels.grams import minibatch_grams
from learnrate.engines.kernels.lanes import gram_steps

__all__ = ["PARTS", "train_on_grams"]

PARTS = 16
"""Sums of matrices are made in so many parts, each by one thread, and then added in one order."""


@compiled
def train_on_grams(
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
    old: Any,
    new: Any,
    velocity: Any,
    Z: Any,
    room: int,
    G: Any,
    part: Any,
    sums: Any,
    width: int,
    step: int,
    first: int,
    stop: int,
    at_once: int,
    grams: bool,
) -> None:
    """Steps ``first, …, stop − 1`` of an epoch, ``at_once`` at a time.

    ``sums`` holds `PARTS` matrices, or nothing.

    Several threads share an epoch in two rounds: with ``grams`` and no blocks each makes the matrices of
    some steps, and then, without ``grams``, each moves some blocks of lanes by them.
    """
    for t in range(first, stop, at_once):
        end = min(t + at_once, stop)
        if grams:
            minibatch_grams(
                X, y, d, order, batch_size, t, end, shift, ref, shifted, decay, kappa,
                Z, room, G, part, sums, t // at_once % PARTS * width * width, width, step,
            )  # fmt: skip
        gram_steps(
            G, width, not shifted, d + 1, eta, scales, t, end, momentum,
            first_block, stop_block, block_rows, lanes, old, new, velocity,
        )  # fmt: skip
