"""What to split: the lanes or the pass over the data. One rule, from a count of what is to be done."""

from __future__ import annotations

from learnrate.engines.fused import gram_pays
from learnrate.engines.problem import LinearProblem
from learnrate.errors import OptionError

__all__ = ["SPLITS", "check_split", "choose_split", "pass_costs"]

SPLITS = ("lanes", "data")


def check_split(split: str | None) -> None:
    """Raise OptionError for a word that is none of `SPLITS`."""
    if split is not None and split not in SPLITS:
        raise OptionError(f"--cluster-split must be lanes or data. Got {split!r} instead.")


def choose_split(problem: LinearProblem, seeds: int, workers: int, engine: str) -> str:
    """``"data"`` where that is estimated to be done first and the engine can do it, else ``"lanes"``."""
    can = engine == "fused" and gram_pays(problem.d, problem.batch_size, problem.lanes)
    if not can or workers < 2:
        return "lanes"
    d, B, K = problem.d, problem.batch_size, problem.lanes
    lanes, data = pass_costs(d, B, K, seeds=seeds, workers=workers)
    return "data" if data < lanes else "lanes"


def pass_costs(
    d: int, batch_size: int, lanes: int, *, seeds: int, workers: int
) -> tuple[float, float]:
    """What an epoch of all seeds takes, per example, with the lanes split and with the data split.

    In operations, as `learnrate.engines.fused.gram_pays` counts them: with ``D = d + 1``, making a matrix is
    ``m = (D + 1)(D + 9)`` per row and moving K lanes by it ``a K = 2D²K/B``. P workers have S seeds in
    ``p = ⌈P/S⌉`` parts, of whole vectors of 16 lanes, one after another ``⌈S p / P⌉`` times::

        lanes:  ⌈S p / P⌉ (m + a K / p)
        data:   S max((m + 2c) / (P − 1), a K + c)        c = 64 D²/B

    c is for the matrix's way through the object store, half of which is the workers'; measured. The process
    that moves the lanes takes a CPU too, so one worker less counts.
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
