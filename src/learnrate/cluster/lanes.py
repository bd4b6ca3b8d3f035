"""The lanes split over workers: each goes through all examples, for some lanes of a seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from learnrate.cluster.crew import Crew
from learnrate.cluster.worker import Part
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.sweeps.executors import States

__all__ = ["GRANULE", "cut", "join", "split_lanes"]

GRANULE = {"fused": 16}
"""Lanes that an engine moves at once: a part that is no multiple of it wastes some of them."""


def split_lanes(
    crew: Crew, problems: Sequence[LinearProblem], starts: Sequence[EpochState | None]
) -> States:
    """Train all problems; see `learnrate.sweeps.executors.Executor`.

    A worker hands over its states every moment. If it is lost, its lanes go on from the last ones on another
    worker; a worker that has come new, or has nothing left to do, gets half of another's lanes.
    """
    granule = GRANULE.get(crew.engine, 1)
    pieces = -(-max(1, len(crew.ready)) // len(problems)) if problems else 1
    waiting: deque[Part] = deque()
    for s, (problem, start) in enumerate(zip(problems, starts, strict=True)):
        if start is None or start.epoch < problem.epochs:
            whole = Part(s, 0, problem.lrs.size, start)
            waiting += cut(whole, pieces, granule)
    gathered: dict[tuple[int, int], dict[int, EpochState]] = {}
    while waiting or any(member.jobs for member in crew.members):
        for member in crew.free():
            if not waiting:
                break
            part = waiting.popleft()
            crew.give(member, part, "train", part)
        ready: list[tuple[int, EpochState]] = []
        for member, part, result in crew.wait(1.0):
            states = None if result is None else crew.get(result)
            if not states:
                waiting.appendleft(part)
                continue
            for state in states:
                key = part.s, state.epoch
                parts = gathered.setdefault(key, {})
                parts[part.first] = state
                if sum(len(p.b) for p in parts.values()) == problems[part.s].lrs.size:
                    ready.append((part.s, join(list(gathered.pop(key).items()))))
            part = part._replace(start=states[-1])
            left = problems[part.s].epochs - states[-1].epoch
            if not left:
                continue
            idle = len(crew.ready) - sum(bool(m.jobs) for m in crew.ready) - 1
            halves = cut(part, 2, granule)
            if idle > 0 and not waiting and left > 1 and len(halves) > 1:
                waiting += halves
            else:
                crew.give(member, part, "train", None)
        yield from ready


def cut(part: Part, pieces: int, granule: int) -> list[Part]:
    """Cut into at most so many pieces, of whole granules where that is possible."""
    lanes = part.stop - part.first
    blocks = -(-lanes // granule)
    pieces = min(pieces, blocks)
    edges = [part.first + min(lanes, granule * (blocks * i // pieces)) for i in range(pieces + 1)]
    return [
        Part(part.s, first, stop, _lanes(part.start, first - part.first, stop - part.first))
        for first, stop in pairwise(edges)
    ]


def _lanes(state: EpochState | None, first: int, stop: int) -> EpochState | None:
    if state is None:
        return None
    mine = slice(first, stop)
    return EpochState(
        epoch=state.epoch,
        W=state.W[mine],
        b=state.b[mine],
        loss=state.loss[mine],
        V=None if state.V is None else state.V[mine],
        vb=None if state.vb is None else state.vb[mine],
    )


def join(parts: list[tuple[int, EpochState]]) -> EpochState:
    """One state of the parts' lanes, each with the number of its first."""
    states = [state for _, state in sorted(parts, key=lambda part: part[0])]
    if len(states) == 1:
        return states[0]
    V = [state.V for state in states if state.V is not None]
    vb = [state.vb for state in states if state.vb is not None]
    return EpochState(
        epoch=states[0].epoch,
        W=np.concatenate([state.W for state in states]),
        b=np.concatenate([state.b for state in states]),
        loss=np.concatenate([state.loss for state in states]),
        V=np.concatenate(V) if V else None,
        vb=np.concatenate(vb) if vb else None,
    )
