"""One part of the benchmark: its rows are warmed up, checked, and timed round by round.

A round times every row once, so that a machine whose speed drifts troubles all alike. A row that takes
less than `ENOUGH` is called several times in its turn, and the median of these calls is its time.
"""

from __future__ import annotations

import gc
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.engines.cases import BAR_COLD, CASES, THREADED, case_of
from benchmarks.engines.contenders import Contender
from benchmarks.engines.machine import load, versions
from benchmarks.engines.ours import by_threads, measures, ours, truth
from benchmarks.engines.peers import Given, peers

ENOUGH, MOST = 0.02, 100  # seconds of a row in a round, and calls
TOLERANCE = 3e-4
"""How far a loss after an epoch may be from ours in float64, relative."""

Answer = dict[str, Any]
Row = tuple[str, Callable[[], Contender]]


def measure(part: str, rounds: int, *, with_peers: bool = True, mxnet: str | None = None) -> Answer:
    """Time the rows of a part: the name of a case, ``threads`` or ``cold``.

    Raises
    ------
    ValueError
        If a row's losses are not ours.
    """
    answer: Answer = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
        "load": load(),
        "seconds": {},
        "deviation": {},
        "notes": {},
        "absent": {},
    }
    contenders, calls = [], []
    for name, make in _rows(part, with_peers, mxnet):
        try:
            row = make()
            deviation = row.deviation()
        except ImportError as error:
            answer["absent"][name] = str(error)
            continue
        if deviation is not None:
            if not deviation <= TOLERANCE:
                raise ValueError(f"{name} on {part} is off by {deviation:.2g}: not the same work.")
            answer["deviation"][name] = deviation
        answer["notes"][name] = row.note
        answer["seconds"][name] = []
        contenders.append(row)
        calls.append(_calls(row))
    for _ in range(rounds):
        for row, count in zip(contenders, calls, strict=True):
            gc.collect()
            seconds = statistics.median(row.time() for _ in range(count))
            answer["seconds"][row.name].append(seconds)
    return answer


def _calls(row: Contender) -> int:
    """How often a row is called in a round: once if it is slow by nature."""
    if row.seconds is not None or row.factor > 1:
        return 1
    return min(MOST, max(1, math.ceil(ENOUGH / row.time())))


def _rows(part: str, with_peers: bool, mxnet: str | None) -> Iterator[Row]:
    """The rows of a part."""
    if part == "threads":
        for name in THREADED:
            yield from map(_made, by_threads(CASES[name]))
        return
    if part == "cold":
        yield from map(_made, _commands())
        return
    case = case_of(part)
    X, y = case.examples()
    expected = truth(case, X, y)
    yield from map(_made, ours(case, X, y, expected))
    if with_peers:
        yield from peers(Given.of(case, X, y, expected), mxnet)
    yield from map(_made, measures(case))


def _made(row: Contender) -> Row:
    return row.name, lambda: row


def _commands() -> Iterator[Contender]:
    """The installed command on the note's data, as a user starts it, from a folder of its own."""
    learnrate = Path(sys.executable).with_name("learnrate")
    folder = tempfile.TemporaryDirectory()
    for command in BAR_COLD:

        def run(arguments: tuple[str, ...] = tuple(command.split()[1:])) -> None:
            whole = [str(learnrate), *arguments]
            subprocess.run(whole, cwd=folder.name, capture_output=True, check=True)

        yield Contender(command, run)
