"""One learning rate, trained by PyTorch's own loop: a copy of the real module, and a real `torch.optim.Optimizer`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array
from learnrate.torch.copying import copy_of
from learnrate.torch.failures import short
from learnrate.torch.lanes import Task
from learnrate.torch.measuring import measures_of
from learnrate.torch.pacing import scheduler_of
from learnrate.torch.states import AVERAGES

__all__ = ["Lane"]

_SCALER = "scaler"


class Lane:
    """One learning rate, trained by PyTorch's own loop.

    Attributes
    ----------
    first : list of float
        Losses of its first steps.
    without : set of str
        Parameters that have had no gradient yet.
    ended : str or None
        What ended it before its time.
    """

    def __init__(
        self, task: Task, lr: float, *, scheduled: bool = True, share: bool = False
    ) -> None:
        self.task = task
        self.whole = copy_of(task.whole, task.fixed if share else ())
        self.optimizer = task.chosen.build(self.whole, lr)
        named = dict(self.whole.named_parameters())
        self.parameters = {name: named[name] for name in task.layout.names}
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        self._scheduler: Any = None
        if scheduled and task.options.scheduler is not None:
            self._scheduler = scheduler_of(task.options.scheduler, self.optimizer)
        self._scaler = torch.amp.GradScaler(task.device.type) if task.options.scaled else None
        self._changed = False
        self.lr = lr
        self._taken = 0
        self.averages: dict[str, Tensor] = {}
        if task.options.ema is not None:
            self.averages = {n: p.detach().clone() for n, p in self.parameters.items()}
        self.first: list[float] = []
        self.without = set(self.parameters)
        self.ended: str | None = None

    def end(self, error: Exception) -> None:
        """Let this be the last that is heard of the lane."""
        self.ended = f"{type(error).__name__} ({short(error, 150).rstrip('.')})"
        with torch.no_grad():
            for tensor in (*self.parameters.values(), *self.averages.values()):
                tensor.fill_(torch.nan)

    def backward(self, batch: Any, share: float = 1.0) -> Tensor:
        """Add the gradient of the minibatch's loss, or a share of it, to every parameter's; the loss comes back."""
        (whole,) = self.whole.run(batch)
        loss = whole if share == 1.0 else whole * share
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]
        if self.without:
            self.without -= {n for n in self.without if self.parameters[n].grad is not None}
        return whole.detach()

    def advance(self, group: Sequence[Any], multiplier: float) -> float:
        """Make one step with some minibatches at the rate ``s_t η``; their mean loss comes back."""

        def closure() -> Tensor:
            if self.task.closed:  # it may be called several times in a step
                self.optimizer.zero_grad()
            losses = [self.backward(batch, 1 / len(group)) for batch in group]
            if self.task.closed:
                self._cut()
            return losses[0] if len(losses) == 1 else torch.stack(losses).mean()

        loss = closure()
        self.step(multiplier, closure if self.task.closed else None)
        self.optimizer.zero_grad()  # the next lane needs the room
        self._take_averages()
        return float(loss)

    def _take_averages(self) -> None:
        """Let the averages follow the parameters, where they are asked for."""
        decay = self.task.options.ema
        if decay is not None:
            share = 1 - decay if self._taken else 1.0
            with torch.no_grad():
                for name, average in self.averages.items():
                    average.lerp_(self.parameters[name], share)
        self._taken += 1

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """A context in which the model has the averages of the parameters, if there are any, in place of the parameters."""
        own = {name: self.parameters[name].data for name in self.averages}
        for name, average in self.averages.items():
            self.parameters[name].data = average
        try:
            yield
        finally:
            for name, data in own.items():
                self.parameters[name].data = data

    def scales(self) -> dict[str, Array]:
        """What losses are scaled by for gradients in float16, and since when: empty where they are not."""
        state = {} if self._scaler is None else self._scaler.state_dict()
        return {f"{_SCALER} {name}": np.array(value) for name, value in state.items()}

    def go_to(self, kinds: Mapping[str, Mapping[str, Array]], steps: int) -> None:
        """Bring averages, scales and the scheduler to where they were after so many steps."""
        self._taken, averages = steps, kinds.get(AVERAGES, {})
        if self._scaler is not None:
            scales = kinds[_SCALER]
            self._scaler.load_state_dict({name: value.item() for name, value in scales.items()})
        for name, average in self.averages.items():
            average.copy_(torch.from_numpy(np.array(averages[name])))
        self._schedule_from(steps)

    def step(self, multiplier: float, closure: Callable[[], Any] | None = None) -> None:
        """Let the optimizer make its step with the gradients that are there."""
        optimizer = self.optimizer
        if self._scheduler is None and (multiplier != 1.0 or self._changed):
            self._changed = True
            for group, lr in zip(optimizer.param_groups, self._rates, strict=True):
                group["lr"] = lr * multiplier
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)
        if closure is None:
            self._cut()
        if self._scaler is not None:
            self._scaler.step(optimizer)
            self._scaler.update()
        elif closure is not None:
            optimizer.step(closure)
        else:
            optimizer.step()
        if self._scheduler is not None:
            self._scheduler.step()

    def _cut(self) -> None:
        """Cut the gradients, where that is asked for."""
        options = self.task.options
        if options.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters.values(), options.clip_norm)
        if options.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.parameters.values(), options.clip_value)

    def _schedule_from(self, steps: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the optimizer's steps were made elsewhere
            for _ in range(steps if self._scheduler is not None else 0):
                self._scheduler.step()

    def mode(self, training: bool) -> None:
        """Training or evaluation mode, of the optimizer too where it has any (Schedule-Free)."""
        self.whole.train(training)
        switch = getattr(self.optimizer, "train" if training else "eval", None)
        if callable(switch):
            switch()

    def measure(self, batch: Any) -> Tensor:
        """Each of the measures on some examples, (M,)."""
        return measures_of(self.whole, batch, self.task.probe.evaluated_with_gradients)
