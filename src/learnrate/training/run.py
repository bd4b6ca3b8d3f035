"""The training loop of a sweep: an executor trains, the record collects the states, checkpoints save the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np

from learnrate.errors import ClusterError
from learnrate.training.executors import Executor
from learnrate.training.monitor import Progress
from learnrate.training.problem import Problem
from learnrate.training.pruning import Halving, Rung, lowest_so_far
from learnrate.training.record import Record

__all__ = ["train"]


def train(
    problems: Sequence[Problem],
    record: Record,
    executor: Executor,
    progress: Progress,
    save: Callable[[bool], object] | None = None,
    *,
    prune: Halving | None = None,
    free: bool = False,
) -> None:
    """Train all lanes that are not finished in the record.

    Parameters
    ----------
    problems : sequence of Problem
        One for each seed, with all lanes.
    record : Record
        Collects the states. If it was restored from a checkpoint, training continues from there.
    executor : Executor
        Trains the lanes.
    progress : Progress
        Called for every state.
    save : callable, optional
        Saves the record. Called with True after every state, when it need not save each time, and with False at the
        end, or on Ctrl-C or a lost cluster if anything was trained.
    prune : Halving, optional
        Ends lanes early. All lanes are trained up to a rung, and the best of them to the next; these come out as they
        would without it.
    free : bool
        Whether to forget the states of lanes that were ended.
    """
    last = Rung(record.horizon.points - 1, len(record.lrs))
    rungs = [] if prune is None else list(prune.points(record.horizon, len(record.lrs)))
    trained = False
    try:
        for point, left in (*rungs, last):
            trained |= _train(problems, record, executor, progress, save, point)
            if point < last.point:
                going = np.flatnonzero((record.pruned < 0) | (record.pruned >= point))
                lowest = lowest_so_far(record.compared[:, going, : point + 1])
                ended = going[Halving.ended(lowest, left)]
                record.prune(ended, point, free=free)
                for s in range(len(problems)):
                    progress.finish(s, ended, last.point)
    except (ClusterError, KeyboardInterrupt):
        if save is not None and record.begun:
            save(False)
        raise
    finally:
        executor.close()
    if save is not None and trained:
        save(False)


def _train(
    problems: Sequence[Problem],
    record: Record,
    executor: Executor,
    progress: Progress,
    save: Callable[[bool], object] | None,
    point: int,
) -> bool:
    """Train up to a measurement; whether there was anything left to train."""
    left = list(record.work(point))
    to_the_end = point == record.horizon.points - 1
    parts: list[Problem] = []
    for s, lanes, _ in left:
        problem = problems[s] if to_the_end else problems[s].until(point)
        parts.append(problem if len(lanes) == len(record.lrs) else problem.take(lanes))
    with closing(executor.run(parts, [start for *_, start in left])) as states:
        for i, state in states:
            s, lanes, _ = left[i]
            lanes = record.add(s, lanes, state)
            if save is not None and state.begun:
                save(True)
            progress.finish(s, lanes, record.horizon.passed(state))
    return bool(left)
