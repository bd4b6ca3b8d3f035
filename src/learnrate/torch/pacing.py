"""The rate at every step: multipliers, or a scheduler of `torch.optim.lr_scheduler` used as it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError
from learnrate.torch.failures import in_one_line
from learnrate.torch.rules import Chosen
from learnrate.torch.whole import Whole

__all__ = ["SchedulerFactory", "is_factory", "multipliers_of", "pace_of", "scheduler_of"]

SchedulerFactory = Callable[[torch.optim.Optimizer], Any]
"""Takes a lane's optimizer and returns a scheduler, whose ``step()`` is called after each step of the optimizer."""


def is_factory(schedule: Any) -> bool:
    """Whether a schedule is made for an optimizer, in place of a name or a function of the step."""
    if isinstance(schedule, str) or not callable(schedule):
        return False
    if isinstance(schedule, type):
        return True
    try:
        return not hasattr(schedule(0), "__float__")
    except Exception:  # a number is no optimizer
        return True


def scheduler_of(factory: SchedulerFactory, optimizer: torch.optim.Optimizer) -> Any:
    """The scheduler of a lane.

    Raises
    ------
    OptionError
        If it is none that is stepped without arguments.
    """
    with in_one_line("schedule must be a function of the step, or of the optimizer."):
        scheduler = factory(optimizer)
    if not isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler) or isinstance(
        scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau
    ):
        raise OptionError(
            "schedule must return a scheduler of torch.optim.lr_scheduler that is stepped after every step of the "
            f"optimizer, without arguments. Got {type(scheduler).__name__} instead."
        )
    return scheduler


def multipliers_of(
    factory: SchedulerFactory, chosen: Chosen, whole: Whole, steps: int
) -> Float[Array, " steps"] | None:
    """``s_t`` of a scheduler, by running it at two rates; None where it changes more, or is no multiple of the rate.

    Raises
    ------
    OptionError
        If it sets the rates by itself.
    """
    tried = [_run(factory, chosen, whole, steps, lr) for lr in chosen.tried]
    runs, shares, changing = zip(*tried, strict=True)
    if np.array_equal(runs[0], runs[1]):
        raise OptionError(
            "schedule must go by the optimizer's learning rate. Got a scheduler that sets the same rates whatever that is; "
            "such as lambda optimizer: OneCycleLR(optimizer, optimizer.param_groups[0]['lr'], …)."
        )
    same = np.allclose(shares[0], shares[1], rtol=1e-9)
    if any(changing) or not same or not np.allclose(shares[0], shares[0][:, :1]):
        return None
    multipliers: Float[Array, " steps"] = shares[0][:, 0].copy()
    return multipliers


def pace_of(
    factory: SchedulerFactory, chosen: Chosen, whole: Whole, steps: int
) -> Float[Array, " steps"]:
    """The share of its rate that a scheduler gives at every step, the mean over groups of parameters."""
    _, shares, _ = _run(factory, chosen, whole, steps, chosen.tried[0])
    pace: Float[Array, " steps"] = shares.mean(axis=1)
    return pace


def _run(
    factory: SchedulerFactory, chosen: Chosen, whole: Whole, steps: int, lr: float
) -> tuple[Array, Array, bool]:
    """A scheduler's rates at a rate of the lane, (steps, groups), their shares of it, and whether more changes."""
    optimizer = chosen.build(whole, lr)
    bases = [float(group["lr"]) for group in optimizer.param_groups]
    rest = [_rest(group) for group in optimizer.param_groups]
    scheduler, more = scheduler_of(factory, optimizer), False
    run = np.empty((steps, len(bases)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no step of the optimizer comes before
        with in_one_line(f"schedule must give a rate for each of the {steps} steps."):
            for t in range(steps):
                run[t] = [float(group["lr"]) for group in optimizer.param_groups]
                more |= [_rest(group) for group in optimizer.param_groups] != rest
                scheduler.step()
    return run, run / bases, more


def _rest(group: dict[str, Any]) -> dict[str, Any]:
    left_out = ("params", "lr", "initial_lr")
    return {key: value for key, value in group.items() if key not in left_out}
