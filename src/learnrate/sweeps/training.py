"""The training of a sweep: every seed's problem through an executor, every state into the curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.engines.choose import ENGINES, STREAMING, Choice, choose_engine
from learnrate.engines.problem import LinearProblem
from learnrate.engines.schedules import schedule_multipliers
from learnrate.errors import ClusterError, OptionError
from learnrate.sweeps.checkpoint import Checkpoints
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.executors import Cluster, Executor, LocalExecutor
from learnrate.sweeps.interruption import SweepInterrupted
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.progress import Progress
from learnrate.sweeps.record import Record

__all__ = ["train"]


def train(
    data: Prepared,
    lrs: Float[Array, " K"],
    config: SweepConfig,
    *,
    cluster: Cluster | None = None,
    checkpoints: Checkpoints | None = None,
    on_epoch: Callable[[int, int], object] | None = None,
    on_message: Callable[[str], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> LinearSweepResult:
    """Run every seed's lanes on the chosen engine and gather the curves.

    Threads are used for seeds first, since these are independent passes; what is left goes to the engine.
    With checkpoints, training goes on from the newest one.

    Raises
    ------
    SweepInterrupted
        On Ctrl-C, if at least one epoch had been finished.
    """
    record = Record.of(data, lrs, config)
    resumed = None if checkpoints is None else checkpoints.restore(record)
    engine, before = (config.engine, 0.0) if resumed is None else resumed
    # Every seed has buffers of its own: of examples that are read in blocks one at a time is trained.
    seeds_at_once = 1 if data.stored is not None else min(config.threads, config.seeds)
    if cluster is not None:
        seeds_at_once = 1  # here, where an engine may have all threads
        engine = cluster.engine(engine)
    choice = _choose(data, len(lrs), config, engine, config.threads // seeds_at_once, on_message)
    if not ENGINES[choice.engine.name].threaded:
        seeds_at_once = 1
    if resumed is not None:
        choice = choice._replace(reason="the checkpoint's")
        if on_message is not None:
            on_message(f"Going on from the checkpoint: {record.epochs_done()} epochs are done.")
    began = time.perf_counter() - before

    def save(*, due: bool) -> None:
        if checkpoints is not None:
            checkpoints.save(record, choice.engine.name, time.perf_counter() - began, due=due)

    def result(seeds: slice, epochs: int) -> LinearSweepResult:
        seconds = time.perf_counter() - began
        reason = "; ".join([choice.reason, *executor.account])
        return record.result(choice.engine.name, reason, seconds, seeds=seeds, epochs=epochs)

    # A seed that the checkpoint has whole is not given to the executor at all.
    progress = Progress(record.epochs(), data.n, config.epochs, on_progress)
    problems = _problems(data, lrs, config, progress)
    left = [s for s, done in enumerate(record.epochs()) if done < config.epochs]
    executor: Executor
    if cluster is None:
        executor = LocalExecutor(choice.engine, seeds_at_once)
    else:
        executor = cluster.executor(choice.engine, on_message)
    run = executor.run([problems[s] for s in left], [record.states[s] for s in left])
    try:
        with closing(run) as states:
            for i, state in states:
                record.add(left[i], state)
                progress.finish(left[i], state.epoch)
                if state.epoch:
                    save(due=True)
                    if on_epoch:
                        on_epoch(record.epochs_done(), config.seeds * config.epochs)
        if left:
            save(due=False)
    except ClusterError:
        if record.epochs_done():
            save(due=False)  # to go on from elsewhere
        raise
    except KeyboardInterrupt:
        seeds, epochs = record.finished()
        if epochs:
            save(due=False)
            raise SweepInterrupted(result(seeds, epochs)) from None
        raise
    return result(slice(0, config.seeds), config.epochs)


def _choose(
    data: Prepared,
    lanes: int,
    config: SweepConfig,
    engine: str,
    threads: int,
    on_message: Callable[[str], object] | None,
) -> Choice:
    if data.stored is not None and config.engine not in ("auto", *STREAMING):
        raise OptionError(
            f"engine must be auto, {' or '.join(STREAMING)} for a table that is larger than memory. "
            f"Got {config.engine!r} instead; leave memory out for that."
        )
    return choose_engine(
        engine,
        n=data.n,
        d=data.X_train.shape[1],
        batch_size=config.batch_size,
        lanes=lanes,
        epochs=config.epochs,
        seeds=config.seeds,
        dtype=config.dtype,
        threads=threads,
        on_message=on_message,
    )


def _problems(
    data: Prepared, lrs: Float[Array, " K"], config: SweepConfig, progress: Progress
) -> list[LinearProblem]:
    """What an engine is given, for each seed."""
    multipliers = schedule_multipliers(config.schedule, config.total_steps(data.n))
    X, y = data.X_train, data.y_train
    if data.stored is not None:
        X, y = X[:0], y[:0]
    return [
        LinearProblem(
            X=X,
            y=y,
            lrs=lrs,
            batch_size=config.batch_size,
            epochs=config.epochs,
            seed=seed,
            sampling=config.sampling,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            multipliers=multipliers,
            block_size=config.block_size,
            source=None if data.stored is None else data.stored.train,
            on_rows=progress.of(s),
        )
        for s, seed in enumerate(range(config.seed, config.seed + config.seeds))
    ]
