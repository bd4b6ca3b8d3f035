"""Sweeps of a `transformers.Trainer`, with its model, data, loss, optimizer, schedule and arguments."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from learnrate._extras import require

require("transformers", extra="transformers", purpose="sweeps of a transformers.Trainer")

import torch  # noqa: E402
import transformers  # noqa: E402
from torch.utils.data import (  # noqa: E402
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
)

from learnrate.errors import OptionError  # noqa: E402
from learnrate.torch import TorchSweepResult  # noqa: E402
from learnrate.torch import sweep as torch_sweep  # noqa: E402
from learnrate.torch.failures import refuse_own  # noqa: E402

__all__ = ["sweep"]

_NOT_FOLLOWED = (
    ("deepspeed", None),
    ("fsdp", None),
    ("neftune_noise_alpha", None),
)
_STEERING = (transformers.EarlyStoppingCallback,)
"""Callbacks of the package that change the training."""
_METHODS = (
    "train",
    "_inner_training_loop",
    "_run_epoch",
    "training_step",
    "get_train_dataloader",
    "_get_dataloader",
    "_prepare_inputs",
    "_prepare_input",
    "compute_loss_context_manager",
    "create_optimizer_and_scheduler",
    "_clip_grad_norm",
    "_wrap_model",
)
"""Methods that change a training where a subclass has its own, and that a sweep does not call."""
_OF_EVALUATION = ("evaluate", "evaluation_loop", "prediction_step", "get_eval_dataloader")
"""Methods that a sweep does not call, which change no training."""
_OWN = (
    "loss",
    "step",
    "optimizer",
    "optimizer_options",
    "schedule",
    "metrics",
    "batch_size",
    "accumulate",
)
"""Options that a Trainer's arguments have the place of."""


def sweep(trainer: Any, *, lrs: Any = "auto", **options: Any) -> TorchSweepResult:
    """Train what a `Trainer` would train, under many learning rates.

    The sweep uses its model, datasets, collator and `compute_loss`, and of its arguments the batch size, epochs or
    ``max_steps``, optimizer with its groups of weight decay, schedule with its warmup, clipping, accumulation, bf16 and fp16.
    Callbacks that only report are not called; others are refused, and so are methods of a subclass that a sweep does not call,
    such as `training_step`. Rates are compared by the loss: ``compute_metrics`` is not called. The trainer and its model are not
    changed.

    Parameters
    ----------
    trainer : transformers.Trainer
        Ready to train, without ``optimizers`` of its own.
    lrs : numbers or str
        See `learnrate.torch.sweep`.
    **options
        Other parameters of `learnrate.torch.sweep`, such as ``seeds``, ``eval_every``, ``device``; ``epochs`` or ``steps``,
        ``clip_grad_norm`` and ``precision`` replace those of the trainer.

    Raises
    ------
    OptionError
        If the trainer uses something that a sweep does not support.
    """
    if not isinstance(trainer, transformers.Trainer):
        raise OptionError(
            f"trainer must be a transformers.Trainer. Got {type(trainer).__name__} instead; use learnrate.torch.sweep for a model."
        )
    args = trainer.args
    _check(trainer, options)
    loader = _loader(trainer)
    length, total = _length(args, loader, options)
    running = copy.copy(trainer)
    running.state = _NoState()
    counts_in_evaluation = "num_items_in_batch" in trainer.prediction_step.__code__.co_varnames

    def loss_of(model: Any, batches: Any) -> list[Any]:
        counted: Any = None
        if model.training or counts_in_evaluation:
            _, counted = running.get_batch_samples(iter(batches), len(batches), model.device)
        more = {} if counted is None else {"num_items_in_batch": counted}
        found = [running.compute_loss(model, dict(batch), **more) for batch in batches]
        return found if _is_scaled(trainer, counted) else [loss / len(found) for loss in found]

    def step(model: Any, batches: Any) -> Any:
        if model.training:
            losses = loss_of(model, batches)
        else:  # each minibatch by itself, as a Trainer measures
            sizes = [_examples(batch) for batch in batches]
            pairs = zip(sizes, batches, strict=True)
            losses = [size / sum(sizes) * sum(loss_of(model, [batch])) for size, batch in pairs]
        return sum(losses[1:], losses[0])

    def optimizer(model: Any, lr: float) -> torch.optim.Optimizer:
        own = copy.copy(trainer)
        own.args = copy.copy(args)
        object.__setattr__(own.args, "learning_rate", lr)
        own.model = own.model_wrapped = model
        own.optimizer = None
        made: torch.optim.Optimizer = own.create_optimizer()
        return made

    def schedule(optimizer: torch.optim.Optimizer) -> Any:
        own = copy.copy(trainer)
        own.optimizer, own.lr_scheduler = optimizer, None
        return own.create_scheduler(num_training_steps=total, optimizer=optimizer)

    if args.load_best_model_at_end:
        options = {**_best(args, total, loader), **options}
    if trainer.eval_dataset is not None and "val_data" not in options:
        if isinstance(trainer.eval_dataset, dict):
            raise OptionError(
                "eval_dataset of a Trainer must be one set of examples. Got "
                f"{type(trainer.eval_dataset).__name__} instead; give one of them as val_data."
            )
        options["val_data"] = _loader(trainer, held_out=True)
    precision = "bf16" if args.bf16 else "fp16" if args.fp16 else None
    kept = {"seed": args.seed, "precision": precision, "clip_grad_norm": args.max_grad_norm or None}
    result = torch_sweep(
        trainer.model,
        loader,
        step=step,
        lrs=lrs,
        optimizer=optimizer,
        schedule=schedule,
        **{**kept, **options, **length},
    )
    notes = list(result.notes)
    if trainer.compute_metrics is not None:
        notes.append(
            "compute_metrics of the Trainer was not called: rates are compared by the loss."
        )
    if left := _own_methods(trainer, _OF_EVALUATION):
        notes.append(f"Methods of evaluation that were not called: {', '.join(left)}.")
    return replace(result, notes=tuple(notes))


class _NoState:
    """Stands for the trainer's state, which would be that of another training."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise OptionError(
            f"The loss of a Trainer must not go by its state. Got one that asks for state.{name}; write the training as "
            "learnrate.torch.sweep(…, step=…), whose third argument is a state of each lane's own."
        )


def _check(trainer: Any, options: dict[str, Any]) -> None:
    """Refuse what is not followed."""
    refuse_own(options, _OWN, "Trainer")
    if trainer.optimizer is not None or trainer.lr_scheduler is not None:
        raise OptionError(
            "trainer must make its own optimizer and schedule. Got ones that were given as optimizers=, or a trainer that "
            "has been trained, instead; make a new Trainer without them."
        )
    if trainer.train_dataset is None:
        raise OptionError("trainer must have a train_dataset. Got none instead.")
    for name, usual in _NOT_FOLLOWED:
        given = getattr(trainer.args, name, usual)
        if given not in (usual, "", [], False):
            raise OptionError(
                f"{name} of a Trainer must be {usual}: it is not followed. Got {given!r} instead."
            )
    for callback in trainer.callback_handler.callbacks:
        kind = type(callback)
        if kind.__module__.split(".")[0] != "transformers" or kind in _STEERING:
            raise OptionError(
                "A Trainer must do without callbacks that may change its training. Got "
                f"{kind.__name__} instead; trainer.remove_callback({kind.__name__}) takes it off."
            )
    for method in _own_methods(trainer, _METHODS):
        raise OptionError(
            f"A Trainer must be trained by the package's own {method}: that of a subclass is not followed. Got "
            f"{type(trainer).__name__}.{method} instead; move what it does into compute_loss, the Dataset or the collator."
        )


def _own_methods(trainer: Any, names: Sequence[str]) -> list[str]:
    """Which of the methods ``names`` the trainer's class defines itself, in place of those of transformers."""
    found = ((name, getattr(trainer, name, None)) for name in names)
    return [
        name
        for name, method in found
        if method is not None and method.__module__.split(".")[0] != "transformers"
    ]


def _is_scaled(trainer: Any, counted: Any) -> bool:
    """Whether each loss is divided by the number of tokens of a whole step, as the Trainer has it."""
    said = getattr(trainer, "loss_is_scaled_for_ga", None)
    if said is not None:
        return bool(said)
    by_model = trainer.model_accepts_loss_kwargs and counted is not None
    return by_model or trainer.compute_loss_func is not None


def _best(args: Any, total: int, loader: DataLoader[Any]) -> dict[str, Any]:
    """What keeps each lane's best parameters, as ``load_best_model_at_end`` does."""
    if args.metric_for_best_model not in (None, "loss", "eval_loss") or args.greater_is_better:
        raise OptionError(
            "metric_for_best_model of a Trainer must be 'loss' where load_best_model_at_end is set: others are not "
            f"followed. Got {args.metric_for_best_model!r} instead."
        )
    every = args.eval_steps
    if args.eval_strategy == "epoch":
        if isinstance(loader.dataset, IterableDataset):
            raise OptionError(
                "load_best_model_at_end of a Trainer must go with eval_strategy='steps' for an IterableDataset. Got "
                "'epoch' instead."
            )
        every = len(loader)
    return {"keep": "best", "eval_every": int(every if every >= 1 else math.ceil(total * every))}


def _loader(trainer: Any, *, held_out: bool = False) -> DataLoader[Any]:
    """A loader of the trainer's examples with its collator; the minibatches of one step come as a list."""
    dataset = trainer.eval_dataset if held_out else trainer.train_dataset
    collator = trainer.data_collator
    if hasattr(dataset, "column_names"):  # of the package datasets
        dataset = trainer._remove_unused_columns(dataset, description="training")
    else:
        collator = trainer._get_collator_with_removed_columns(collator, description="training")
    shuffle = False
    if not held_out and not isinstance(dataset, IterableDataset):
        sampler = trainer._get_train_sampler()
        if type(sampler) not in (RandomSampler, SequentialSampler):
            raise OptionError(
                "A Trainer must draw its examples at random or in order. Got "
                f"{type(sampler).__name__} instead; leave train_sampling_strategy at its default."
            )
        shuffle = type(sampler) is RandomSampler
    size = trainer.args.train_batch_size
    together = 1 if held_out else trainer.args.gradient_accumulation_steps
    if together > 1 and trainer.args.dataloader_drop_last:
        raise OptionError(
            "dataloader_drop_last of a Trainer must be False where it accumulates gradients: it is not followed. Got both."
        )

    def collate(items: list[Any]) -> list[Any]:
        parts = (items[first : first + size] for first in range(0, len(items), size))
        return [collator(part) for part in parts]

    return DataLoader(
        dataset,
        batch_size=size * together,
        shuffle=shuffle,
        collate_fn=collate,
        drop_last=trainer.args.dataloader_drop_last and not held_out,
    )


def _examples(batch: Any) -> int:
    """Number of examples in a minibatch."""
    return next(len(value) for value in batch.values() if isinstance(value, torch.Tensor))


def _length(
    args: Any, loader: DataLoader[Any], options: dict[str, Any]
) -> tuple[dict[str, int], int]:
    """The epochs or steps of the caller or of the arguments, and the total number of steps."""
    if "steps" in options:
        steps = options.pop("steps")
    elif args.max_steps > 0 and "epochs" not in options:
        steps = args.max_steps
    else:
        per_epoch = 0 if isinstance(loader.dataset, IterableDataset) else len(loader)
        epochs = options.pop("epochs", args.num_train_epochs)
        if not per_epoch or epochs == int(epochs):
            return {"epochs": int(epochs)}, int(epochs) * per_epoch
        steps = math.ceil(epochs * per_epoch)  # as the Trainer counts
    return {"steps": steps}, steps
