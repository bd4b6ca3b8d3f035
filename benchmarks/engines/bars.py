"""What the engines reach beside what is asked of them, and the floor that no engine can go below."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.engines import cases
from benchmarks.engines.cases import case_of
from benchmarks.engines.ours import COPIED, OPERATIONS
from benchmarks.engines.results import Results
from learnrate.linear.fused import gram_pays


@dataclass(frozen=True)
class Bar:
    """One figure, what was asked if anything, and whether more is better."""

    value: float
    asked: float | None
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it is reached, if it is asked for."""
        if self.asked is None:
            return True
        return self.value >= self.asked if self.at_least else self.value <= self.asked


def against_peers(results: Results, part: str) -> dict[str, Bar]:
    """How many times as fast as the best peer the rows of a case are; a bar is set for the first."""
    peers = results.peers(part)
    asked = {
        "fused float32": case_of(part).ahead if peers else None,
        "fused float64": None,
        "gram float32": None,
        "fused alone": None,
    }
    bars = {}
    for row, bar in asked.items():
        reached = results.ratio(part, peers[0], row) if peers else None
        if reached is not None:
            bars[row] = Bar(reached, bar)
    return bars


def others(results: Results) -> dict[tuple[str, str], Bar]:
    """The bars that no peer is needed for: what and where."""
    bars: dict[tuple[str, str], Bar] = {}

    def note(what: str, where: str, value: float | None, asked: float, at_least: bool) -> None:
        if value is not None:
            bars[what, where] = Bar(value, asked, at_least)

    for part in results.parts:
        one = results.ratio(part, "fused float32", "fused float32, K = 1")
        if one is not None:
            note("lanes", part, one, case_of(part).over_one or 1.0, False)
        note("auto", part, results.median(part, "auto float64"), cases.BAR_AUTO, False)
    for name in cases.THREADED:
        one = results.ratio("threads", f"{name}, threads = 1", f"{name}, threads = 2")
        note("threads", name, one, cases.BAR_THREADS, True)
    for command, bar in cases.BAR_COLD.items():
        note("cold", command, results.median("cold", command), bar, False)
    return bars


def floor(results: Results, part: str) -> tuple[float, bool] | None:
    """The least time of a case in seconds, and whether memory sets it.

    The larger of two: the bytes of X in float32, once an epoch, at the rate at which memory is copied
    (bytes read and bytes written); and the operations of the way that the fused engine goes, at the rate at
    which matrices are multiplied. With ``D = d + 1``, an epoch through Gram matrices takes ``n D (D + 1)`` to
    make half of each, and ``2 D (D + 1) K`` a step; one through the rows ``4 n D K``, and ``2 n D K`` for
    the loss; where there are C outputs, K is C times as large.
    """
    copy, matmul = (results.median(part, row) for row in ("copy", "matmul"))
    if copy is None or matmul is None:
        return None
    case = case_of(part)
    n, D, K = case.n, case.d + 1, case.outputs * case.lanes
    if not case.classes and gram_pays(case.d, case.batch_size, K):
        operations = n * D * (D + 1) + 2 * D * (D + 1) * K * -(-n // case.batch_size)
    else:
        operations = 6 * n * D * K
    moved = case.epochs * 4 * n * case.d / (2 * COPIED / copy)
    computed = case.epochs * operations / (OPERATIONS / matmul)
    return max(moved, computed), moved >= computed
