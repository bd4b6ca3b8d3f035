"""The optimizer and the scheduler of a LightningModule at a learning rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from learnrate.errors import OptionError
from learnrate.lightning.trainer import Course, StandIn, alone
from learnrate.torch.failures import in_one_line

__all__ = ["TRIED", "configured", "rate_of"]

_RATES = ("lr", "learning_rate")
TRIED = 1e-3, 2e-3
"""Rates at which the optimizer is made to see what depends on them."""


def configured(
    model: Any, name: str, lr: float, course: Course, source: Any
) -> tuple[torch.optim.Optimizer, Any]:
    """The optimizer and the scheduler, for every step, at a rate."""
    with _at(model, name, lr), alone(model, StandIn(course, source, 0, True), {}):
        with in_one_line("configure_optimizers must give an optimizer."):
            configured = model.configure_optimizers()
        return _split(configured, course)


def rate_of(module: Any, course: Course, source: Any) -> str:
    """The name of the attribute that holds the learning rate: the one that decides the optimizer's."""
    found = [name for name in _RATES if hasattr(module, name) or name in module.hparams]
    for name in found:
        made = [configured(module, name, lr, course, source)[0] for lr in TRIED]
        first, second = ([group["lr"] for group in optimizer.param_groups] for optimizer in made)
        if first != second:
            return name
    if found:
        raise OptionError(
            f"configure_optimizers must make the optimizer with self.{found[0]}. Got the same rates for any value of "
            f"{' or '.join(found)} instead."
        )
    raise OptionError(
        "A LightningModule must hold its learning rate as lr or learning_rate, or in its hparams. Got neither instead; "
        "let __init__ set self.lr, and configure_optimizers use it."
    )


@contextmanager
def _at(model: Any, name: str, lr: float) -> Iterator[None]:
    """A context in which the module has another learning rate."""
    own = name in vars(model)
    before = vars(model).get(name)
    hparam = model.hparams.get(name)
    if own:
        setattr(model, name, lr)
    if name in model.hparams:
        model.hparams[name] = lr
    try:
        yield
    finally:
        if own:
            setattr(model, name, before)
        if name in model.hparams:
            model.hparams[name] = hparam


def _split(configured: Any, course: Course) -> tuple[torch.optim.Optimizer, Any]:
    """The optimizer and the scheduler, for every step, from the result of `configure_optimizers`."""
    schedulers: Any = []
    if isinstance(configured, list | tuple) and len(configured) == 1:
        configured = configured[0]
    if isinstance(configured, dict):
        schedulers = [configured["lr_scheduler"]] if "lr_scheduler" in configured else []
        configured = configured["optimizer"]
    elif isinstance(configured, tuple) and len(configured) == 2 and isinstance(configured[0], list):
        configured, schedulers = configured
        configured = configured[0] if len(configured) == 1 else configured
    if not isinstance(configured, torch.optim.Optimizer) or len(schedulers) > 1:
        raise OptionError(
            "configure_optimizers must give one optimizer, and one scheduler at most. Got "
            f"{type(configured).__name__} and {len(schedulers)} schedulers instead."
        )
    if not schedulers:
        return configured, None
    settings = schedulers[0] if isinstance(schedulers[0], dict) else {"scheduler": schedulers[0]}
    scheduler, every = settings["scheduler"], settings.get("frequency", 1)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau
    if not isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler) or isinstance(
        scheduler, plateau
    ):
        raise OptionError(
            "A scheduler must be one of torch.optim.lr_scheduler that is stepped without arguments. Got "
            f"{type(scheduler).__name__} instead."
        )
    by_steps = settings.get("interval", "epoch") == "step"
    return configured, scheduler if by_steps and every == 1 else _Paced(
        scheduler, course.per_epoch, course.minibatches or 0, course.accumulate, by_steps, every
    )


class _Paced(torch.optim.lr_scheduler.LRScheduler):
    """Steps a scheduler as Lightning does: after some epochs, or at each so many-th minibatch of an epoch."""

    def __init__(
        self, inner: Any, steps: int, minibatches: int, each: int, by_steps: bool, every: int
    ) -> None:
        self._inner, self._steps, self._minibatches, self._each = inner, steps, minibatches, each
        self._by_steps, self._every, self._done = by_steps, every, 0

    def step(self, epoch: Any = None) -> None:
        """Count a step of the optimizer."""
        epochs, within = divmod(self._done, self._steps)
        self._done, number = self._done + 1, epochs + 1
        if self._by_steps:
            number = min((within + 1) * self._each, self._minibatches)
        elif within + 1 < self._steps:
            return
        if number % self._every == 0:
            self._inner.step()
