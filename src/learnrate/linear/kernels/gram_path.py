"""A kernel that trains all lanes of a seed through the Gram matrices of minibatches."""

from __future__ import annotations

from typing import Any

from learnrate.linear.kernels.arguments import Lanes, Report, Rows, Scratch, Steps
from learnrate.linear.kernels.compiled import compiled
from learnrate.linear.kernels.grams import minibatch_grams
from learnrate.linear.kernels.lanes import gram_steps
from learnrate.linear.kernels.report import PARTS, close_sums, read_lanes

__all__ = ["train_on_grams"]


@compiled
def train_on_grams(
    rows: Rows,
    lanes: Lanes,
    steps: Steps,
    scratch: Scratch,
    G: Any,
    sums: Any,
    make: bool,
    report: Report,
    W: Any,
    b: Any,
    loss: Any,
) -> None:
    """Train some blocks of lanes for the steps ``first, …, stop − 1`` of some epochs.

    The matrices of ``at_once`` steps are computed at a time, and replace those before them in G. If ``stride`` is larger
    than ``at_once``, only ``at_once`` of every ``stride`` steps are computed, and each has a place of its own in G.

    ``sums`` holds `PARTS` matrices, to which the matrices of the first epoch are added; it may be empty. If ``W``, ``b``
    and ``loss`` are not empty, the state of the lanes after each epoch is written to them, and Q is computed from ``sums``.

    Several threads share an epoch in two rounds: with ``make``, a stride and no blocks, each computes the matrices of some
    steps; then, without ``make``, each trains some blocks of lanes with them.
    """
    size, at_once = scratch.width * scratch.width, steps.at_once
    for epoch in range(len(steps.orders)):
        for t in range(steps.first, steps.stop, steps.stride):
            end = min(t + at_once, steps.stop)
            place = G[(t - steps.first) * size if steps.stride > at_once else 0 :]
            if make:
                part = t // at_once % PARTS * size
                minibatch_grams(rows, steps, epoch, t, end, scratch, place, sums, part)
            gram_steps(
                place, scratch.width, not rows.shifted, rows.d + 1, lanes, steps.scales[epoch], t, end,
                scratch.gradient,
            )  # fmt: skip
        if not W.size:
            continue
        if sums.size:
            close_sums(sums, scratch.width, steps.orders.shape[1], report.Q)
            sums = sums[:0]
        read_lanes(lanes.delta, lanes.rows, lanes.count, report, W[epoch], b[epoch], loss[epoch])
