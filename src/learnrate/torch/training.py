"""The run: seeds one after the other, lanes of a seed as many at once as fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from learnrate._shapes import Array, Float
from learnrate.data.order import epoch_order, steps_per_epoch
from learnrate.errors import LearnrateError, OptionError
from learnrate.torch.config import TorchConfig
from learnrate.torch.examples import Examples
from learnrate.torch.lanes import Lanes, Task
from learnrate.torch.layout import Layout
from learnrate.torch.losses import LossFunction
from learnrate.torch.memory import free_memory, is_out_of_memory, lanes_that_fit
from learnrate.torch.optimizers import get_optimizer
from learnrate.torch.probe import probe
from learnrate.torch.randomness import Stream, reseed
from learnrate.torch.separate import SeparateLanes, plain_gradient
from learnrate.torch.sharpness import sharpness_of
from learnrate.torch.stacked import StackedLanes, StackedSteps, why_not_stacked

__all__ = ["Record", "Run"]

_EVALUATED = 4 << 20
"""Bytes of one lane's activations in one evaluation: they stay in cache."""
_EVALUATED_EXAMPLES = 4096


@dataclass(eq=False)
class Record:
    """What has been measured so far.

    Attributes
    ----------
    training, held_out : float64 arrays, shapes (M, S, K, E + 1), held_out optional
        Loss, then metrics.
    sharpness : float64 array, shape (S, K, 2), optional
        At start and end.
    states : list of lists of dict, optional
        Parameters and buffers of finished lanes.
    finished : int
        Seeds whose lanes are all trained.
    epochs : int
        Epochs that all lanes of the present seed are trained for.
    """

    training: Float[Array, "M S K epochs"]
    held_out: Float[Array, "M S K epochs"] | None
    sharpness: Float[Array, "S K 2"] | None
    states: list[list[dict[str, Tensor]]] | None
    starts: list[nn.Module] = field(default_factory=list)
    finished: int = 0
    epochs: int = 0


@dataclass(frozen=True, eq=False)
class Run:
    """A sweep about to be run: settings, examples and where the record goes."""

    config: TorchConfig
    lrs: Float[Array, " K"]
    examples: Examples
    held_out: Examples | None
    loss: LossFunction
    metrics: Mapping[str, LossFunction]
    multipliers: Float[Array, " steps"] | None
    record: Record
    notes: list[str]
    on_epoch: Callable[[int, int], object] | None = None
    warn: Callable[[str], object] = lambda note: None

    def train_seed(self, s: int, module: nn.Module) -> None:
        """Train all lanes of a seed from ``module`` and record them."""
        record, K = self.record, len(self.lrs)
        task = self._task(module, self.config.seed + s)
        record.epochs = 0
        steps = self._steps(task)
        if record.sharpness is not None:
            start = task.start_row()[None]
            record.sharpness[s, :, 0] = sharpness_of(task, start, [{}], self.examples)
        states: list[dict[str, Tensor]] = []
        at_once = self._lanes_at_once(task)
        first = 0
        while first < K:
            chunk = slice(first, min(first + at_once, K))
            try:
                states += self._train_chunk(s, task, steps, chunk)
            except LearnrateError:
                raise
            except Exception as error:
                if not is_out_of_memory(error):
                    text = " ".join(str(error).split())[:300]
                    raise OptionError(
                        "Model and loss must take every minibatch of the data. "
                        f"Got {type(error).__name__} instead: {text}"
                    ) from error
                if at_once == 1:
                    raise
                at_once = max(1, (chunk.stop - chunk.start) // 2)
                self._note(f"Memory ran out: from here on {at_once} lanes were trained at once.")
                continue
            first = chunk.stop
        record.starts.append(module.cpu())
        if record.states is not None:
            record.states.append(states)
        record.finished = s + 1

    def _task(self, module: nn.Module, seed: int) -> Task:
        B, n = self.config.batch_size, len(self.examples)
        device = next(module.parameters()).device
        everything = {"loss": self.loss, **self.metrics}
        found = None
        for size in sorted({n % B or B, B}):  # the short last minibatch, then a whole one
            reseed(device, seed, Stream.TRAINING)
            found = probe(module, self.examples.batch(torch.arange(size)), self.loss, self.metrics)
        assert found is not None
        per_example = max(1, found.activations // B)
        at_once = max(B, min(n, _EVALUATED // per_example, _EVALUATED_EXAMPLES))
        return Task(
            module=module,
            layout=Layout.of(module, without=found.unused),
            seed=seed,
            loss=self.loss,
            measures=everything,
            optimizer=get_optimizer(self.config.optimizer),
            options=self.config.optimizer_options,
            probe=found,
            evaluated_at_once=at_once,
        )

    def _steps(self, task: Task) -> StackedSteps | None:
        """The stacked steps; None where lanes are trained one at a time."""
        if len(self.lrs) == 1 or self.config.lanes_at_once == 1:
            return None
        steps = StackedSteps(task)
        batch = self.examples.batch(torch.arange(self.config.batch_size))
        reason = why_not_stacked(task, steps, batch, plain_gradient(task, batch))
        if reason is None:
            return steps
        note = f"Lanes were trained one at a time: {reason}."
        if note not in self.notes:
            self.warn(note)
        self._note(note)
        return None

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _lanes_at_once(self, task: Task) -> int:
        wanted, K = self.config.lanes_at_once, len(self.lrs)
        if isinstance(wanted, int):
            return min(wanted, K)
        scale = max(self.config.batch_size, task.evaluated_at_once // 3) / self.config.batch_size
        return lanes_that_fit(
            K,
            parameters=task.layout.size,
            activations=int(task.probe.activations * scale),
            memory=task.optimizer.memory,
            itemsize=task.dtype.itemsize,
            free=free_memory(task.device),
        )

    def _train_chunk(
        self, s: int, task: Task, steps: StackedSteps | None, chunk: slice
    ) -> list[dict[str, Tensor]]:
        """Train some lanes from start to end; their parameters and buffers where they are kept."""
        lrs, record, E = self.lrs[chunk], self.record, self.config.epochs
        lanes: Lanes
        if steps is None or len(lrs) == 1:
            lanes = SeparateLanes(task, lrs)
        else:
            lanes = StackedLanes(task, lrs, steps)
        self._measure(s, lanes, chunk, 0)
        for epoch in range(E):
            lanes.train(self.examples, self._batches(task, epoch), self._scales(epoch), epoch)
            self._measure(s, lanes, chunk, epoch + 1)
            if len(lrs) == len(self.lrs):
                record.epochs = epoch + 1
            if self.on_epoch is not None:
                done = (s * len(self.lrs) + chunk.start) * E + (epoch + 1) * len(lrs)
                self.on_epoch(done, self.config.seeds * len(self.lrs) * E)
        states = lanes.states()
        if record.sharpness is not None:
            rows = torch.stack(
                [
                    torch.cat([state[name].reshape(-1) for name in task.layout.names])
                    for state in states
                ]
            ).to(task.device)
            record.sharpness[s, chunk, 1] = sharpness_of(task, rows, states, self.examples)
        return states if record.states is not None else []

    def _measure(self, s: int, lanes: Lanes, chunk: slice, epoch: int) -> None:
        self.record.training[:, s, chunk, epoch] = lanes.evaluate(self.examples)
        if self.held_out is not None and self.record.held_out is not None:
            self.record.held_out[:, s, chunk, epoch] = lanes.evaluate(self.held_out)

    def _batches(self, task: Task, epoch: int) -> tuple[Tensor, ...]:
        """The minibatches of an epoch, the last one perhaps short."""
        order = epoch_order(
            len(self.examples),
            self.config.batch_size,
            seed=task.seed,
            epoch=epoch,
            sampling=self.config.sampling,
        )
        return torch.split(torch.from_numpy(order), self.config.batch_size)

    def _scales(self, epoch: int) -> list[float]:
        steps = steps_per_epoch(len(self.examples), self.config.batch_size)
        if self.multipliers is None:
            return [1.0] * steps
        scales: list[float] = self.multipliers[epoch * steps : (epoch + 1) * steps].tolist()
        return scales


def empty_record(
    config: TorchConfig, K: int, measures: int, *, held_out: bool, sharpness: bool, keep: bool
) -> Record:
    """A record with nothing in it yet."""
    shape = (measures, config.seeds, K, config.epochs + 1)
    return Record(
        training=np.full(shape, np.nan),
        held_out=np.full(shape, np.nan) if held_out else None,
        sharpness=np.full((config.seeds, K, 2), np.nan) if sharpness else None,
        states=[] if keep else None,
    )
