"""Whether to split the lanes or the data over workers, by an estimate of the time that each takes."""

from __future__ import annotations

from learnrate.errors import OptionError, option
from learnrate.linear.fused import gram_pays
from learnrate.linear.problem import LinearProblem

__all__ = ["SPLITS", "check_split", "choose_split", "pass_costs"]

SPLITS = ("lanes", "data")


def check_split(split: str | None) -> None:
    """Raise OptionError if ``split`` is given and is not one of `SPLITS`."""
    if split is not None and split not in SPLITS:
        raise OptionError(
            f"{option('cluster_split')} must be lanes or data. Got {split!r} instead."
        )


def choose_split(problem: LinearProblem, seeds: int, workers: int) -> str:
    """The split that is estimated to be faster with the engine ``fused``: ``"data"`` or ``"lanes"``."""
    d, B, K = problem.d, problem.batch_size, problem.lanes
    if workers < 2 or not gram_pays(d, B, K):
        return "lanes"
    lanes, data = pass_costs(d, B, K, seeds=seeds, workers=workers)
    return "data" if data < lanes else "lanes"


def pass_costs(
    d: int, batch_size: int, lanes: int, *, seeds: int, workers: int
) -> tuple[float, float]:
    """The estimated cost of an epoch of all seeds, per example, with the lanes split and with the data split.

    The unit is one operation, as in `learnrate.linear.fused.gram_pays`. With ``D = d + 1``, computing a Gram matrix
    costs ``m = (D + 1)(D + 9)`` per row, and updating K lanes with it costs ``a K = 2D²K/B``. With the lanes split,
    each of S seeds is cut into ``p = ⌈P/S⌉`` ranges of whole vectors of 16 lanes, which P workers train in
    ``⌈S p / P⌉`` rounds::

        lanes:  ⌈S p / P⌉ (m + a K / p)
        data:   S max((m + 2c) / (P − 1), a K + c)        c = 64 D²/B

    c is the measured cost of sending a matrix through the object store. The driver, which updates the lanes, uses a
    CPU too, so ``P − 1`` workers count.
    """
    D, B = d + 1, batch_size
    blocks = -(-lanes // 16)
    make, move = (D + 1) * (D + 9), 2 * D**2 / B
    parts = min(blocks, -(-workers // seeds))
    widest = 16 * -(-blocks // parts)
    rounds = -(-seeds * parts // workers)
    by_lanes = rounds * (make + move * widest)
    send = 64 * D**2 / B
    by_data = seeds * max((make + 2 * send) / max(1, workers - 1), move * 16 * blocks + send)
    return by_lanes, by_data
