"""Kernel: train all lanes of a seed through minibatch Gram matrices."""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import compiled
from learnrate.engines.kernels.grams import minibatch_grams
from learnrate.engines.kernels.lanes import gram_steps
from learnrate.engines.kernels.report import PARTS, close_sums, read_lanes

__all__ = ["train_on_grams"]


@compiled
def train_on_grams(
    X: Any,
    y: Any,
    d: int,
    orders: Any,
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
    stride: int,
    grams: bool,
    w_ref: Any,
    beta: float,
    shift_64: Any,
    Q: Any,
    u: Any,
    W: Any,
    b: Any,
    loss: Any,
) -> None:
    """Steps ``first, …, stop − 1`` of some epochs, ``at_once`` at a time, whose matrices take each other's place in G.

    With a larger ``stride`` only ``at_once`` of every ``stride`` steps, and their matrices have places of their own.

    ``orders`` and ``scales`` have a row for each epoch. ``sums`` holds `PARTS` matrices, to which those of the
    first epoch are added, or nothing.

    With room in ``W``, ``b`` and ``loss`` they take what the lanes are after each epoch, and the sums become Q.

    Several threads share an epoch in two rounds: with ``grams``, a stride and no blocks each makes the matrices
    of some steps, and then, without ``grams``, each moves some blocks of lanes by them.
    """
    for epoch in range(len(orders)):
        for t in range(first, stop, stride):
            end = min(t + at_once, stop)
            place = G[(t - first) * width * width if stride > at_once else 0 :]
            if grams:
                minibatch_grams(
                    X, y, d, orders[epoch], batch_size, t, end, shift, ref, shifted, decay, kappa,
                    Z, room, place, part, sums, t // at_once % PARTS * width * width, width, step,
                )  # fmt: skip
            gram_steps(
                place, width, not shifted, d + 1, eta, scales[epoch], t, end, momentum,
                first_block, stop_block, block_rows, lanes, old, new, velocity,
            )  # fmt: skip
        if not W.size:
            continue
        if sums.size:
            close_sums(sums, width, orders.shape[1], Q)
            sums = sums[:0]
        after = W[epoch], b[epoch], loss[epoch]
        read_lanes(old, block_rows, lanes, w_ref, beta, shift_64, Q, u, *after)
