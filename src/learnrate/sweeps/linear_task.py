"""The linear model as the task of a sweep: its problems, engine, held-out loss and result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.fingerprint import fingerprint
from learnrate.data.order import steps_per_epoch
from learnrate.data.prepared import Prepared
from learnrate.data.rows import Block as RowBlock
from learnrate.errors import OptionError, option
from learnrate.linear.choose import ENGINES, STREAMING, choose_engine
from learnrate.linear.evaluation import means
from learnrate.linear.parameters import joined, weights_of
from learnrate.linear.problem import LinearProblem, beyond_grams, beyond_kernels
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.confirm import contradiction, false_divergence
from learnrate.sweeps.curved import Curved
from learnrate.sweeps.front import Block, Cluster, Place
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.losses import scores
from learnrate.theory import Theory
from learnrate.training.executors import LocalExecutor
from learnrate.training.losses import Loss
from learnrate.training.monitor import Monitor, Progress
from learnrate.training.problem import Horizon
from learnrate.training.record import Record
from learnrate.training.schedules import schedule_multipliers, warmed
from learnrate.training.states import LaneStates

__all__ = ["LinearTask"]


@dataclass(frozen=True, eq=False)
class LinearTask:
    """A sweep of ``z = X·W + b`` on prepared examples; see `learnrate.sweeps.front.Task`."""

    config: SweepConfig
    lrs: Float[Array, " K"]
    data: Prepared
    loss: Loss
    source: str = "X, y"
    analysed: Theory | Curved | None = None

    @property
    def n(self) -> int:
        """Number of training examples."""
        return self.data.n

    @property
    def stops(self) -> Int[Array, " points"]:
        """Steps that a lane has made after each epoch."""
        return steps_per_epoch(self.n, self.config.batch_size) * np.arange(self.config.epochs + 1)

    @property
    def large(self) -> bool:
        """False: a lane needs little memory."""
        return False

    @property
    def best(self) -> tuple[str, ...]:
        """None: losses end about where they are lowest."""
        return ()

    @property
    def horizon(self) -> Horizon:
        """How long lanes are trained, and when they are measured."""
        return Horizon(self.config.epochs)

    def _multipliers(self) -> Float[Array, " steps"] | None:
        return schedule_multipliers(self.config.schedule, self.config.total_steps(self.n))

    def warmed(self) -> float:
        """The share of the run after which the schedule's warm-up has half the rate."""
        return warmed(self._multipliers())

    def settings(self) -> dict[str, Any]:
        """All that decides the numbers, in types that JSON has."""
        settings = self.config.as_dict()
        del settings["threads"]  # the numbers do not depend on it
        if callable(self.config.schedule):
            settings["schedule"] = f"a function ({fingerprint(self._multipliers())})"
        return {**settings, "lrs": self.lrs.tolist(), "examples": self.data.fingerprint}

    def measure(self, states: LaneStates) -> Mapping[str, Array]:
        """The loss on held-out examples, if there are any."""
        data = self.data
        if data.stored is not None and data.stored.val is not None:
            # Small blocks, because the memory budget is for those that are trained on.
            per_block = max(1, (self.config.block_size or data.n) // 8)
            rows = data.stored.val
            blocks = rows.blocks(per_block, range(-(-rows.n // per_block)))
        elif data.X_val is not None and data.y_val is not None:
            blocks = iter([RowBlock(data.X_val, data.y_val)])
        else:
            return {}
        theta = joined(*weights_of(states), np.float64)
        return {f"val_{name}": mean for name, mean in means(self.loss, blocks, theta).items()}

    def place(self, engine: str, cluster: Cluster | None, monitor: Monitor) -> Place:
        """Choose where lanes are trained.

        Threads are used for seeds first, because seeds are independent. The engine gets the threads that are left.
        """
        config, stored = self.config, self.data.stored is not None
        if stored and config.engine not in ("auto", *STREAMING):
            raise OptionError(
                f"{option('engine')} must be auto or one of {', '.join(STREAMING)} for a table larger than memory. "
                f"Got {config.engine!r} instead; leave memory out for that."
            )
        # Each seed has its own buffers, so with examples in blocks one seed is trained at a time. On a cluster the
        # workers train the seeds.
        alone = stored or cluster is not None
        seeds_at_once = 1 if alone else min(config.threads, config.seeds)
        (problem,) = self._problems([None])
        choice = choose_engine(
            engine if cluster is None else cluster.engine(engine),
            grams=beyond_grams(problem) is None,
            outputs=problem.loss.outputs if beyond_kernels(problem) is None else 0,
            n=self.n,
            d=self.data.X_train.shape[1],
            batch_size=config.batch_size,
            lanes=len(self.lrs),
            epochs=config.epochs,
            seeds=config.seeds,
            dtype=config.dtype,
            threads=config.threads // seeds_at_once,
            on_message=monitor.on_message,
        )
        threaded = ENGINES[choice.engine.name].threaded
        if config.threads > 1 and config.engine == choice.engine.name and not threaded:
            raise OptionError(
                f"{option('threads')} must be 1 with the engine {config.engine}, which uses one. "
                f"Got {config.threads} instead; the engine fused uses more."
            )
        why_not = choice.engine.supports(problem)
        if why_not is not None:
            raise OptionError(
                f"{option('engine')} must be auto or one that can train this. Got {choice.engine.name!r}: {why_not}."
            )
        if cluster is not None:
            return Place(
                cluster.executor(choice.engine, monitor), choice.engine.name, choice.reason
            )
        executor = LocalExecutor(choice.engine, seeds_at_once if threaded else 1)
        return Place(executor, choice.engine.name, choice.reason)

    def problems(self, progress: Progress) -> list[LinearProblem]:
        """One problem for each seed."""
        return self._problems([self._listener(progress.of(s)) for s in range(self.config.seeds)])

    def _listener(self, report: Callable[[float], object] | None) -> Callable[[int], object] | None:
        """A callback for visited examples that reports the steps of all lanes."""
        if report is None:
            return None
        steps = len(self.lrs) / self.config.batch_size  # of all lanes, for each example
        return lambda visited: report(steps * visited)

    def _problems(self, listeners: Sequence[Callable[[int], object] | None]) -> list[LinearProblem]:
        config, data = self.config, self.data
        multipliers = self._multipliers()
        X, y = data.X_train, data.y_train
        if data.stored is not None:
            X, y = X[:0], y[:0]
        return [
            LinearProblem(
                X=X,
                y=y,
                lrs=self.lrs,
                batch_size=config.batch_size,
                epochs=config.epochs,
                seed=config.seed + s,
                sampling=config.sampling,
                momentum=config.momentum,
                weight_decay=config.weight_decay,
                optimizer=config.optimizer,
                optimizer_options=config.optimizer_options,
                loss=self.loss,
                multipliers=multipliers,
                block_size=config.block_size,
                source=None if data.stored is None else data.stored.train,
                on_rows=listener,
            )
            for s, listener in enumerate(listeners)
        ]

    def contradiction(self, record: Record) -> str | None:
        """A phrase that says how the smallest reported loss is wrong; None if it is right.

        See `learnrate.sweeps.confirm`. Only for squared loss: the engines compute all others from the rows themselves.
        """
        if not self.loss.quadratic:
            return None
        known = contradiction(self.data, record)
        if known is not None or math.isfinite(record.curves["loss"].sum()):
            return known
        return false_divergence(self._problems([None])[0], record)

    def result(
        self, record: Record, block: Block, *, engine: str, reason: str, seconds: float
    ) -> LinearSweepResult:
        """The result of some lanes, up to the last epoch that all of them have finished."""
        states = [
            record.state(s, block.lanes) for s in range(*block.seeds.indices(self.config.seeds))
        ]
        W, b = self.data.to_user_units(
            *map(np.array, zip(*map(weights_of, states), strict=True)),
            outputs=self.loss.outputs > 1,
        )
        curves = {
            name: curve[block.seeds][:, block.lanes, : block.point + 1]
            for name, curve in record.curves.items()
        }
        return LinearSweepResult(
            config=self.config.starting_at(self.config.seed + block.seeds.start),
            lrs=self.lrs[block.lanes],
            losses=curves["loss"],
            pruned=record.pruned[block.lanes] if self.config.prune else None,
            val_losses=curves.get("val_loss"),
            W=W,
            b=b,
            data=self.data,
            loss=self.loss,
            metrics=scores(self.loss, curves, self.data),
            source=self.source,
            analysed=self.analysed,
            engine=engine,
            engine_reason=reason,
            seconds=seconds,
        )
