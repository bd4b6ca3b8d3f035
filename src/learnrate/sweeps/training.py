"""The training of a sweep: every seed's problem through an executor, every state into the curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.prepared import Prepared
from learnrate.engines.choose import ENGINES, STREAMING, Choice, choose_engine
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.engines.schedules import schedule_multipliers
from learnrate.errors import OptionError
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.executors import Cluster, Executor, LocalExecutor
from learnrate.sweeps.interruption import SweepInterrupted
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.validation import held_out_loss, stored_loss

__all__ = ["train"]


def train(
    data: Prepared,
    lrs: Float[Array, " K"],
    config: SweepConfig,
    *,
    cluster: Cluster | None = None,
    on_epoch: Callable[[int, int], object] | None = None,
    on_message: Callable[[str], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> LinearSweepResult:
    """Run every seed's lanes on the chosen engine and gather the curves.

    Threads are used for seeds first, since these are independent passes; what is left goes to the engine.

    Raises
    ------
    SweepInterrupted
        On Ctrl-C, if at least one epoch had been finished.
    """
    # Every seed has buffers of its own: of examples that are read in blocks one at a time is trained.
    seeds_at_once = 1 if data.stored is not None else min(config.threads, config.seeds)
    if cluster is not None:
        seeds_at_once = 1  # here, where an engine may have all threads
    engine = config.engine if cluster is None else cluster.engine(config.engine)
    choice = _choose(data, len(lrs), config, engine, config.threads // seeds_at_once, on_message)
    if not ENGINES[choice.engine.name].threaded:
        seeds_at_once = 1
    progress = _Progress(config.seeds, data.n, config.epochs, on_progress)
    problems = _problems(data, lrs, config, progress)
    record = _Record.of(data, lrs, config)
    began = time.perf_counter()

    def result(seeds: int, epochs: int) -> LinearSweepResult:
        chosen = choice._replace(reason="; ".join([choice.reason, *executor.account]))
        return record.result(chosen, time.perf_counter() - began, seeds=seeds, epochs=epochs)

    executor: Executor
    if cluster is None:
        executor = LocalExecutor(choice.engine, seeds_at_once)
    else:
        executor = cluster.executor(choice.engine, on_message)
    try:
        with closing(executor.run(problems, [None] * len(problems))) as states:
            for s, state in states:
                record.add(s, state)
                progress.finish(s, state.epoch)
                if on_epoch and state.epoch:
                    on_epoch(int(record.epochs.sum()), config.seeds * config.epochs)
    except KeyboardInterrupt:
        seeds, epochs = record.finished()
        if epochs:
            raise SweepInterrupted(result(seeds, epochs)) from None
        raise
    return result(config.seeds, config.epochs)


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
    data: Prepared, lrs: Float[Array, " K"], config: SweepConfig, progress: _Progress
) -> list[LinearProblem]:
    """What an engine is given, for each seed."""
    multipliers = schedule_multipliers(config.schedule, config.total_steps(data.n))
    in_memory = slice(None) if data.stored is None else slice(0)
    return [
        LinearProblem(
            X=data.X_train[in_memory],
            y=data.y_train[in_memory],
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


class _Progress:
    """Counts the examples that all seeds have visited, over all epochs."""

    def __init__(
        self, seeds: int, n: int, epochs: int, tell: Callable[[int, int], object] | None
    ) -> None:
        self._n, self._total, self._tell = n, seeds * n * epochs, tell
        self._epochs, self._rows = [0] * seeds, [0] * seeds

    def of(self, s: int) -> Callable[[int], object] | None:
        """What seed ``s`` reports to."""
        if self._tell is None:
            return None

        def report(rows: int) -> None:
            self._rows[s] = rows
            self._say()

        return report

    def finish(self, s: int, epochs: int) -> None:
        """Seed ``s`` has finished so many epochs."""
        self._epochs[s], self._rows[s] = epochs, 0
        self._say()

    def _say(self) -> None:
        if self._tell is not None:
            self._tell(min(self._total, sum(self._epochs) * self._n + sum(self._rows)), self._total)


@dataclass(frozen=True, eq=False)
class _Record:
    """What has been seen of every lane so far; ``epochs`` (S,) counts what each seed has finished."""

    data: Prepared
    lrs: Float[Array, " K"]
    config: SweepConfig
    losses: Float[Array, "S K epochs"]
    val_losses: Float[Array, "S K epochs"] | None
    W: Float[Array, "S K d"]
    b: Float[Array, "S K"]
    epochs: Int[Array, " S"]

    @classmethod
    def of(cls, data: Prepared, lrs: Float[Array, " K"], config: SweepConfig) -> _Record:
        """Nothing seen yet."""
        S, K, d = config.seeds, len(lrs), data.X_train.shape[1]
        curves = (S, K, config.epochs + 1)
        return cls(
            data=data,
            lrs=lrs,
            config=config,
            losses=np.full(curves, np.nan),
            val_losses=np.full(curves, np.nan) if data.held_out else None,
            W=np.empty((S, K, d)),
            b=np.empty((S, K)),
            epochs=np.zeros(S, dtype=np.int64),
        )

    def add(self, s: int, state: EpochState) -> None:
        """Write down where seed ``s`` is."""
        self.losses[s, :, state.epoch] = state.loss
        self.W[s], self.b[s] = state.W, state.b
        if self.val_losses is not None:
            self.val_losses[s, :, state.epoch] = self._held_out_loss(state)
        self.epochs[s] = state.epoch

    def _held_out_loss(self, state: EpochState) -> Float[Array, " K"]:
        data = self.data
        if data.stored is not None and data.stored.val is not None:
            # Small blocks, for which there is room beside those that are trained on.
            per_block = max(1, (self.config.block_size or data.n) // 8)
            return stored_loss(data.stored.val, per_block, state.W, state.b)
        assert data.X_val is not None
        assert data.y_val is not None
        return held_out_loss(data.X_val, data.y_val, state.W, state.b)

    def finished(self) -> tuple[int, int]:
        """How many seeds, from the first, have finished how many epochs: all, or else what the first has."""
        whole = int(np.cumprod(self.epochs == self.config.epochs).sum())
        if whole:
            return whole, self.config.epochs
        return int(np.cumprod(self.epochs == self.epochs[0]).sum()), int(self.epochs[0])

    def result(
        self, choice: Choice, seconds: float, *, seeds: int, epochs: int
    ) -> LinearSweepResult:
        """The first seeds up to an epoch."""
        W, b = self.data.to_user_units(self.W[:seeds], self.b[:seeds])

        def done(curves: Float[Array, "S K epochs"]) -> Float[Array, "S K epochs"]:
            return curves[:seeds, :, : epochs + 1]

        return LinearSweepResult(
            config=self.config,
            lrs=self.lrs,
            losses=done(self.losses),
            val_losses=None if self.val_losses is None else done(self.val_losses),
            W=W,
            b=b,
            data=self.data,
            engine=choice.engine.name,
            engine_reason=choice.reason,
            seconds=seconds,
        )
