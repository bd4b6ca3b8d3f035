"""The step of a LightningModule: its training step's loss, and in evaluation what its validation step logs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from learnrate.errors import OptionError
from learnrate.lightning.trainer import Course, StandIn, alone

__all__ = ["step_of"]

_TAKEN = {"loss": "logged_loss", "val_loss": "logged_val_loss"}


def step_of(
    course: Course, source: Any, validated: bool, counts: bool, told: set[str]
) -> Callable[..., Any]:
    """A step for `learnrate.torch.sweep`.

    Parameters
    ----------
    course : Course
        How long the training is.
    source : LightningDataModule or None
        Where the examples come from.
    validated : bool
        Whether there is a `validation_step`.
    counts : bool
        Whether the number of a minibatch matters.
    told : set of str
        Receives the names of logged objects of torchmetrics.
    """

    def run(model: Any, batch: Any, done: int | None) -> Any:
        trainer = StandIn(course, source, done, model.training)
        with alone(model, trainer, {}):
            loss = _loss_of(_call(model.training_step, batch, trainer.batch))
        if model.training:
            # Lightning divides by `accumulate`, also where fewer minibatches are left at the end of an epoch.
            left = course.rest and trainer.batch >= (course.minibatches or 0) - course.rest
            return loss * (course.rest / course.accumulate) if left else loss
        logged: dict[str, Any] = {}
        if validated:
            for part in model.modules():
                if _is_metric(part):
                    part.reset()
            with alone(model, trainer, logged):
                _call(model.validation_step, batch, trainer.batch)
            told.update(name for name, value in logged.items() if _is_metric(value))
        return loss, {_TAKEN.get(name, name): _number(value) for name, value in logged.items()}

    def counted(model: Any, batch: Any, state: dict[str, int]) -> Any:
        done = state.get("minibatches", 0)
        if model.training:
            state["minibatches"] = done + 1
        return run(model, batch, done)

    def plain(model: Any, batch: Any) -> Any:
        return run(model, batch, None)

    return counted if counts else plain


def _call(function: Any, batch: Any, number: int) -> Any:
    """Call a step, with a number of the minibatch if it takes one."""
    takes = len(inspect.signature(function).parameters)
    return function(batch, number) if takes > 1 else function(batch)


def _loss_of(found: Any) -> Any:
    """The loss among what `training_step` returned."""
    loss = found.get("loss") if isinstance(found, Mapping) else found
    if loss is None:
        raise OptionError(
            "training_step must return a loss for every minibatch, itself or as 'loss' in a dict: minibatches that are left "
            f"out are not followed. Got {'None' if found is None else type(found).__name__} instead."
        )
    return loss


def _is_metric(value: Any) -> bool:
    """Whether a value is an object of torchmetrics."""
    return any(
        c.__name__ == "Metric" and c.__module__.startswith("torchmetrics")
        for c in type(value).__mro__
    )


def _number(value: Any) -> Any:
    """A logged value; that of a minibatch where it is an object of torchmetrics, which was reset before."""
    return value.compute() if _is_metric(value) else value
