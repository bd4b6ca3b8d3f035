"""The PyTorch model as a sweep's task: its problems, its engine, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from learnrate._shapes import Array, Float, Int
from learnrate.data.fingerprint import fingerprint
from learnrate.errors import OptionError, option
from learnrate.sweeps.front import Block, Cluster, Place
from learnrate.torch.config import TorchConfig
from learnrate.torch.copying import copy_of
from learnrate.torch.engine import TorchEngine
from learnrate.torch.fingerprints import fingerprint_of_examples, fingerprint_of_model
from learnrate.torch.pacing import pace_of
from learnrate.torch.problem import TorchProblem, Training
from learnrate.torch.result import TorchSweepResult
from learnrate.torch.states import LEARNED, lane_tensors
from learnrate.training.executors import LocalExecutor
from learnrate.training.monitor import Monitor, Progress
from learnrate.training.problem import Horizon
from learnrate.training.record import Record
from learnrate.training.schedules import warmed
from learnrate.training.states import LaneStates

__all__ = ["TorchTask"]


@dataclass(frozen=True, eq=False)
class TorchTask:
    """A sweep of a PyTorch model; see `learnrate.sweeps.front.Task`.

    Attributes
    ----------
    training : Training
        All but the rates and the seeds.
    lrs : float64 array, shape (K,)
        Learning rates.
    notes : tuple of str
        What there is to say before training.
    warn : callable
        Told at once why lanes are trained one at a time.
    every : float, optional
        So many seconds apart lanes are saved between measurements too.
    """

    training: Training
    lrs: Float[Array, " K"]
    notes: tuple[str, ...]
    warn: Callable[[str], object]
    every: float | None = None

    @property
    def config(self) -> TorchConfig:
        """What was asked for."""
        return self.training.config

    @property
    def stops(self) -> Int[Array, " points"]:
        """Steps that a lane has made at each measurement."""
        return np.array(self.training.stops)

    @property
    def large(self) -> bool:
        """A lane is a whole model."""
        return True

    @property
    def best(self) -> tuple[str, ...]:
        """What makes a model, where that of the lowest loss is asked for."""
        return LEARNED if self.config.keep == "best" else ()

    @property
    def horizon(self) -> Horizon:
        """How long lanes are trained, and where they are measured."""
        return self.training.horizon

    def warmed(self) -> float:
        """The share of the run after which the schedule's warm-up has half the rate."""
        training, factory = self.training, self.training.options.scheduler
        if factory is None:
            return warmed(training.multipliers)
        like = copy_of(training.start(self.config.seed))
        return warmed(pace_of(factory, training.chosen, like, training.stops[-1]))

    def settings(self) -> dict[str, Any]:
        """All that decides the numbers, as JSON can hold it."""
        training, seed = self.training, self.config.seed
        known = self.config.as_dict()
        for name in ("threads", "lanes_at_once"):  # the numbers do not depend on these
            del known[name]
        options = training.options
        if training.multipliers is not None and callable(self.config.schedule):
            known["schedule"] = f"a function ({fingerprint(training.multipliers)})"
        order = torch.cat(training.order.epoch(seed, 0)).numpy()
        B, device = self.config.batch_size, training.device
        return {
            **known,
            "lrs": self.lrs.tolist(),
            "clip_grad_norm": options.clip_norm,
            "clip_grad_value": options.clip_value,
            "accumulate": options.accumulate,
            "ema": options.ema,
            "precision": training.recipe.precision,
            "metrics": list(training.start(seed).measures),
            "model": fingerprint_of_model(training.start(seed)),
            "examples": fingerprint_of_examples(training.examples, device, B),
            "val_data": fingerprint_of_examples(training.held_out, device, B),
            "order": fingerprint(order),
        }

    def measure(self, states: LaneStates) -> Mapping[str, Array]:
        """Nothing: the engine measures."""
        return {}

    def place(self, engine: str, cluster: Cluster | None, monitor: Monitor) -> Place:
        """The executor and the engine that train lanes, and why they were chosen."""
        torch_engine, where = TorchEngine(self.warn, self.every), f"on {self.config.device}"
        if cluster is None:
            return Place(LocalExecutor(torch_engine), torch_engine.name, where)
        cluster.engine(torch_engine.name)
        if self.training.device.index:
            raise OptionError(
                f"{option('device')} must be cuda with {option('cluster')}, where each worker has a GPU of its own. "
                f"Got {self.config.device} instead."
            )
        for problem in self._problems([None] * self.config.seeds):
            torch_engine.settle(problem)  # once for all workers
        return Place(cluster.executor(torch_engine, monitor), torch_engine.name, where)

    def problems(self, progress: Progress) -> list[TorchProblem]:
        """What an engine is given, for each seed."""
        return self._problems([progress.of(s) for s in range(self.config.seeds)])

    def _problems(self, tell: Sequence[Callable[[float], object] | None]) -> list[TorchProblem]:
        return [
            TorchProblem(self.training, self.lrs, self.config.seed + s, on_steps)
            for s, on_steps in enumerate(tell)
        ]

    def contradiction(self, record: Record) -> str | None:
        """None: losses are measured by the user's own step."""
        return None

    def result(
        self, record: Record, block: Block, *, engine: str, reason: str, seconds: float
    ) -> TorchSweepResult:
        """Some lanes up to the point where they are."""
        training, config = (
            self.training,
            self.config.starting_at(self.config.seed + block.seeds.start),
        )
        curves = {
            name: curve[block.seeds][:, block.lanes, : block.point + 1]
            for name, curve in record.curves.items()
        }
        seeds = range(*block.seeds.indices(self.config.seeds))
        states = None
        if training.keep:
            states = [[_tensors(record, s, int(k)) for k in block.lanes] for s in seeds]
        sharpness = curves.get("sharpness")
        assert isinstance(config, TorchConfig)
        return TorchSweepResult(
            config=config,
            lrs=self.lrs[block.lanes],
            losses=curves["loss"],
            pruned=record.pruned[block.lanes] if config.prune else None,
            val_losses=curves.get("val_loss"),
            metrics={
                n: curve
                for n, curve in curves.items()
                if n not in ("loss", "val_loss", "sharpness")
            },
            horizon=training.horizon,
            sharpness=None if sharpness is None else sharpness[:, :, [0, -1]],
            starts=[self._start(self.config.seed + s) for s in seeds],
            lane_states=states,
            engine=engine,
            engine_reason=reason,
            seconds=seconds,
            examples=len(training.examples),
            held_out=0 if training.held_out is None else len(training.held_out),
            prefix="_orig_mod." if hasattr(training.model, "_orig_mod") else "",
            notes=(*self.notes, *record.remarks, *_ended(self.lrs, record.ended)),
        )

    def _start(self, seed: int) -> nn.Module:
        """The model from which the lanes of a seed start, on the CPU: the sweep's own copy, if that is there."""
        model = self.training.start(seed).model
        return model if self.training.device.type == "cpu" else copy_of(model).cpu()


def _tensors(record: Record, s: int, k: int) -> dict[str, Tensor] | None:
    """What a lane has learned, at its lowest loss where that is kept; None if it was ended early, and forgotten."""
    if record.pruned[k] >= 0:
        return None
    return lane_tensors(record.best.get((s, k)) or record.state(s, np.array([k])).arrays, 0)


def _ended(lrs: Float[Array, " K"], reasons: Array) -> list[str]:
    """A sentence on lanes that were ended by an error; ``reasons`` is (S, K)."""
    ended = np.flatnonzero((reasons != "").any(axis=0))
    if not ended.size:
        return []
    smallest = ended[np.argmin(lrs[ended])]
    reason = next(reason for reason in reasons[:, smallest] if reason)
    rates = ", ".join(f"{lr:g}" for lr in sorted(lrs[ended]))
    return [f"Where these learning rates led, model or loss raised {reason}: {rates}."]
