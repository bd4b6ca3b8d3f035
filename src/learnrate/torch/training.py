"""The run: seeds one after the other, lanes of a seed as many at once as fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from learnrate._shapes import Array, Float
from learnrate.data.order import epoch_order, steps_per_epoch
from learnrate.errors import LearnrateError, OptionError
from learnrate.torch.config import TorchConfig
from learnrate.torch.examples import Examples, TensorExamples
from learnrate.torch.failures import in_one_line
from learnrate.torch.lanes import Lanes, Task
from learnrate.torch.layout import Layout
from learnrate.torch.losses import LossFunction, check_targets
from learnrate.torch.memory import free_memory, is_out_of_memory, lanes_that_fit
from learnrate.torch.optimizers import get_optimizer
from learnrate.torch.probe import probe, probe_held_out
from learnrate.torch.randomness import Stream, reseed
from learnrate.torch.separate import SeparateLanes
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
    ended : dict
        What ended a lane before its time, by its learning rate.
    """

    training: Float[Array, "M S K epochs"]
    held_out: Float[Array, "M S K epochs"] | None
    sharpness: Float[Array, "S K 2"] | None
    states: list[list[dict[str, Tensor]]] | None
    starts: list[nn.Module] = field(default_factory=list)
    finished: int = 0
    epochs: int = 0
    ended: dict[float, Exception] = field(default_factory=dict)


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
            except Exception as error:
                if is_out_of_memory(error):
                    if at_once == 1:
                        raise
                    at_once = max(1, (chunk.stop - chunk.start) // 2)
                    self._note(
                        f"Memory ran out: from here on {at_once} lanes were trained at once."
                    )
                elif steps is not None and isinstance(error, _StepError):
                    # Perhaps some lane's numbers are at fault. Alone, it can fail without the others.
                    steps = None
                    self._one_at_a_time(f"stacked, {error}")
                else:
                    raise
                record.epochs = 0
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
            batch = self.examples.batch(torch.arange(size))
            check = self._targets_of(self.examples, "data")
            found = probe(module, batch, self.loss, self.metrics, check)
        assert found is not None
        if self.held_out is not None:
            reseed(device, seed, Stream.EVALUATION)
            batch = self.held_out.batch(torch.arange(min(B, len(self.held_out))))
            check = self._targets_of(self.held_out, "val_data")
            probe_held_out(module, batch, self.loss, self.metrics, check)
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

    def _targets_of(self, examples: Examples, name: str) -> Callable[[int | None], object]:
        def check(classes: int | None) -> None:
            if isinstance(examples, TensorExamples):
                check_targets(self.config.loss, examples.target, classes, name)

        return check

    def _steps(self, task: Task) -> StackedSteps | None:
        """The stacked steps; None where lanes are trained one at a time."""
        if len(self.lrs) == 1 or self.config.lanes_at_once == 1:
            return None
        steps = StackedSteps(task)
        batch = self.examples.batch(torch.arange(self.config.batch_size))
        with in_one_line("Model and loss must take a minibatch of the data."):
            reason = why_not_stacked(task, steps, batch)
        if reason is None:
            return steps
        self._one_at_a_time(reason)
        return None

    def _one_at_a_time(self, reason: str) -> None:
        note = f"Lanes were trained one at a time: {reason}{'' if reason.endswith('…') else '.'}"
        if note not in self.notes:
            self.warn(note)
        self._note(note)

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
        must = "Model and loss must take every minibatch of the data."
        for epoch in range(E + 1):
            with in_one_line(must) if isinstance(lanes, SeparateLanes) else _steps_may_fail():
                if epoch:
                    at = epoch - 1
                    lanes.train(self.examples, self._batches(task, at), self._scales(at), at)
                self._measure(s, lanes, chunk, epoch)
            if epoch == 0:
                self._check_start(s, chunk)
                continue
            if len(lrs) == len(self.lrs):
                record.epochs = epoch
            if self.on_epoch is not None:
                done = (s * len(self.lrs) + chunk.start) * E + epoch * len(lrs)
                self.on_epoch(done, self.config.seeds * len(self.lrs) * E)
        if isinstance(lanes, SeparateLanes):
            record.ended.update(lanes.ended)
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

    def _check_start(self, s: int, chunk: slice) -> None:
        """Refuse what no rate can mend: all lanes of a seed start from the same loss."""
        record = self.record
        for name, curves in (("data", record.training), ("val_data", record.held_out)):
            if curves is not None and not np.isfinite(curves[0, s, chunk, 0]).all():
                raise OptionError(
                    f"The loss over {name} must be finite before training. Got "
                    f"{curves[0, s, chunk.start, 0]} instead; look for numbers that are not finite in "
                    "the data, and for what the loss takes the logarithm of or divides by."
                )

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


class _StepError(Exception):
    """A step of stacked lanes failed, for another reason than memory."""


@contextmanager
def _steps_may_fail() -> Iterator[None]:
    try:
        yield
    except LearnrateError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise _StepError(f"a step raised {type(error).__name__}") from error


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
