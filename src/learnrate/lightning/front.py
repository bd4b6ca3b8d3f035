"""`learnrate.lightning.sweep()`: a LightningModule in, trained lanes out."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from learnrate.errors import OptionError
from learnrate.lightning.configured import TRIED, configured, rate_of
from learnrate.lightning.steps import step_of
from learnrate.lightning.trainer import (
    Course,
    StandIn,
    alone,
    base_of,
    counts_minibatches,
    overrides,
)
from learnrate.torch import TorchSweepResult
from learnrate.torch import sweep as torch_sweep
from learnrate.torch.failures import in_one_line, refuse_own
from learnrate.torch.rules import needs_closure

__all__ = ["sweep"]

_OF_BATCHES = ("on_before_batch_transfer", "on_after_batch_transfer", "transfer_batch_to_device")
_HOOKS = (
    "on_fit_start",
    "on_train_start",
    "on_train_epoch_start",
    "on_train_epoch_end",
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_before_zero_grad",
    "optimizer_step",
    "optimizer_zero_grad",
    "backward",
    "configure_gradient_clipping",
    "lr_scheduler_step",
    "configure_callbacks",
    *_OF_BATCHES,
)
"""Hooks that can change a training and that a sweep does not call."""
_OF_VALIDATION = tuple(
    f"on_validation_{when}"
    for when in ("start", "epoch_start", "batch_start", "batch_end", "epoch_end", "end")
)
"""Hooks that a sweep does not call, which change no training."""


def sweep(
    module: Any, data: Any = None, *, lrs: Any = "auto", epochs: int | None = None, **options: Any
) -> TorchSweepResult:
    """Train a LightningModule under many learning rates.

    The sweep uses `training_step`, `configure_optimizers` with one optimizer and at most one scheduler, and as metrics the
    values that `validation_step` logs. The rate must be an attribute ``lr`` or ``learning_rate`` of the module or its ``hparams``.
    `setup` and `configure_model` are called on a copy. Of the Trainer a module may know what a sweep knows too: the epoch, the
    step, and how many there are.

    Parameters
    ----------
    module : LightningModule
        The module, which is not changed.
    data : LightningDataModule, or data as for `learnrate.torch.sweep`
        Training examples, and for a data module also its held-out examples; the module's own loaders unless given.
    lrs : numbers or str
        See `learnrate.torch.sweep`.
    epochs : int
        Number of passes over the examples; by default 3, unless ``steps`` is given.
    **options
        Other parameters of `learnrate.torch.sweep`, such as ``val_data``, ``steps``, ``eval_every``, ``clip_grad_norm``, ``accumulate``, ``precision``, ``seeds``.

    Raises
    ------
    OptionError
        If the module uses what a sweep does not support: manual optimization, several optimizers, or hooks that change a
        training.
    """
    if base_of(data, "Trainer") is not None:
        raise OptionError(
            "data must be a LightningDataModule, or examples as for learnrate.torch.sweep. Got a Trainer instead, which a "
            "sweep does without."
        )
    base = base_of(module, "LightningModule")
    if base is None:
        raise OptionError(
            f"module must be a LightningModule. Got {type(module).__name__} instead; use learnrate.torch.sweep for others."
        )
    if not module.automatic_optimization:
        raise OptionError(
            "A LightningModule must leave the steps to Lightning. Got one with automatic_optimization=False instead; "
            "write its training as learnrate.torch.sweep(…, step=…)."
        )
    for hook in _HOOKS:
        if overrides(module, hook, base):
            raise OptionError(
                f"A LightningModule must do without hooks that change its training. Got {hook} instead; move it into "
                "training_step, or write the training as learnrate.torch.sweep(…, step=…)."
            )
    refuse_own(options, ("step", "loss", "optimizer", "schedule", "metrics"), "LightningModule")
    module = _set_up(module, base, data)
    source, data, options = _loaders(module, base, data, options)
    course = Course.of(data, epochs, options)
    name = rate_of(module, course, source)
    scheduled = configured(module, name, TRIED[0], course, source)[1] is not None
    if scheduled:
        options["schedule"] = lambda optimizer: optimizer.learnrate_scheduler

    def optimizer(model: Any, lr: float) -> torch.optim.Optimizer:
        made, scheduler = configured(model, name, lr, course, source)
        if scheduler is not None:
            made.learnrate_scheduler = scheduler  # type: ignore[attr-defined]
        return made

    told: set[str] = set()
    counts = course.rest > 0 or counts_minibatches(module, base)
    if counts:
        like = copy.deepcopy(module)  # which finding out may change
        _check_counted(course, optimizer(like, TRIED[0]))
    step = step_of(course, source, overrides(module, "validation_step", base), counts, told)
    result = torch_sweep(
        module, data, step=step, lrs=lrs, optimizer=optimizer, epochs=epochs, **options
    )
    notes = list(result.notes)
    if told:
        notes.append(f"Means over minibatches of what torchmetrics computes: {', '.join(told)}.")
    if left := [hook for hook in _OF_VALIDATION if overrides(module, hook, base)]:
        notes.append(f"Hooks of validation that were not called: {', '.join(left)}.")
    return replace(result, notes=tuple(notes))


def _check_counted(course: Course, optimizer: torch.optim.Optimizer) -> None:
    """Refuse what has no number for each minibatch, or more than one step on it."""
    if not course.minibatches:
        raise OptionError(
            "For a LightningModule that goes by the epoch, the step or batch_idx, an epoch must have a known length. Got "
            "data without one instead; give a DataLoader of a Dataset with numbers."
        )
    if needs_closure(optimizer):
        raise OptionError(
            "A LightningModule that goes by the epoch, the step or batch_idx must have an optimizer that computes the loss "
            f"once in a step. Got {type(optimizer).__name__} instead."
        )


def _set_up(module: Any, base: Any, data: Any) -> Any:
    """The module as it is where a fit begins: itself, or a copy on which its own preparations were made."""
    if base_of(data, "LightningDataModule") is not None:
        data.prepare_data()
        data.setup("fit")
    calls = [("prepare_data", ()), ("setup", ("fit",)), ("configure_model", ())]
    calls = [(name, given) for name, given in calls if overrides(module, name, base)]
    if not calls:
        return module
    with in_one_line("setup and configure_model must be possible without a Trainer."):
        module = copy.deepcopy(module)
        for name, given in calls:
            with alone(module, StandIn(Course(), data, 0, True), {}):
                getattr(module, name)(*given)
    return module


def _loaders(
    module: Any, base: Any, data: Any, options: dict[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    """The data module if there is one, training examples, and the options with held-out ones."""
    if data is None and overrides(module, "train_dataloader", base):
        source, of = module, base
    else:
        source, of = data, base_of(data, "LightningDataModule")
        if of is None:
            return None, data, options
    for hook in _OF_BATCHES if source is data else ():
        if overrides(source, hook, of):
            raise OptionError(
                f"A data module must do without hooks that change minibatches. Got {hook} instead; move it into a collate_fn "
                "or training_step."
            )
    loaders = {"train_dataloader": source.train_dataloader()}
    if "val_data" not in options and overrides(source, "val_dataloader", of):
        loaders["val_dataloader"] = source.val_dataloader()
    for name, loader in loaders.items():
        if isinstance(loader, list | tuple | dict) and len(loader) == 1:
            loader = next(iter(loader.values() if isinstance(loader, dict) else loader))
        if loader is not None and not isinstance(loader, DataLoader):
            raise OptionError(
                f"{name} must give one DataLoader. Got {type(loader).__name__} instead; give one of them as "
                f"{'data' if name[0] == 't' else 'val_data'}."
            )
        loaders[name] = loader
    if loaders.get("val_dataloader") is not None:
        options = {**options, "val_data": loaders["val_dataloader"]}
    return source if source is data else None, loaders["train_dataloader"], options
