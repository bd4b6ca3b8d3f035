"""Sweeps of a `transformers.Trainer`, with its model, data, loss, optimizer, schedule and arguments."""

from __future__ import annotations

import copy
import math
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

__all__ = ["sweep"]

_NOT_FOLLOWED = (
    ("deepspeed", None),
    ("neftune_noise_alpha", None),
)
_STEERING = (transformers.EarlyStoppingCallback,)
"""Callbacks of the package that change the training."""


def sweep(trainer: Any, *, lrs: Any = "auto", **options: Any) -> TorchSweepResult:
    """Train what a `Trainer` would train, under many learning rates.

    The sweep uses its model, datasets, collator and `compute_loss`, and of its arguments the batch size, epochs or
    ``max_steps``, optimizer with its groups of weight decay, schedule with its warmup, clipping, accumulation, bf16 and fp16.
    Callbacks that only report are not called; others are refused. The trainer and its model are not changed.

    Parameters
    ----------
    trainer : transformers.Trainer
        Ready to train, without ``optimizers`` of its own.
    lrs : numbers or str
        See `learnrate.torch.sweep`.
    **options
        Other parameters of `learnrate.torch.sweep`, such as ``seeds``, ``eval_every``, ``device``; ``epochs`` or ``steps``
        replace those of the trainer.

    Raises
    ------
    OptionError
        If the trainer uses something that a sweep does not support.
    """
    args = trainer.args
    if trainer.optimizer is not None or trainer.lr_scheduler is not None:
        raise OptionError(
            "trainer must make its own optimizer and schedule. Got ones that were given as optimizers=, or a trainer that "
            "has been trained, instead; make a new Trainer without them."
        )
    for name, usual in _NOT_FOLLOWED:
        if getattr(args, name, usual) != usual:
            raise OptionError(
                f"{name} of a Trainer must be {usual}: it is not followed. Got {getattr(args, name)!r} instead."
            )
    for callback in trainer.callback_handler.callbacks:
        kind = type(callback)
        if kind.__module__.split(".")[0] != "transformers" or kind in _STEERING:
            raise OptionError(
                "A Trainer must do without callbacks that may change its training. Got "
                f"{kind.__name__} instead; trainer.remove_callback({kind.__name__}) takes it off."
            )
    loader = _loader(trainer)
    length, total = _length(args, loader, options)

    counts_in_evaluation = "num_items_in_batch" in trainer.prediction_step.__code__.co_varnames

    def step(model: Any, batches: Any) -> Any:
        counted: Any = None
        if model.training or counts_in_evaluation:
            _, counted = trainer.get_batch_samples(iter(batches), len(batches), model.device)
        more = {} if counted is None else {"num_items_in_batch": counted}
        losses = [trainer.compute_loss(model, dict(batch), **more) for batch in batches]
        if counted is not None:  # each loss is already divided by it
            return sum(losses[1:], losses[0])
        sizes = [1 if model.training else _examples(batch) for batch in batches]
        return sum(size / sum(sizes) * loss for size, loss in zip(sizes, losses, strict=True))

    def optimizer(model: Any, lr: float) -> torch.optim.Optimizer:
        own = copy.copy(trainer)
        own.args = copy.copy(args)
        object.__setattr__(own.args, "learning_rate", lr)
        own.model = own.model_wrapped = model
        own.optimizer = None
        made: torch.optim.Optimizer = own.create_optimizer()
        return made

    def schedule(optimizer: torch.optim.Optimizer) -> Any:
        return transformers.get_scheduler(
            args.lr_scheduler_type,
            optimizer,
            num_warmup_steps=args.get_warmup_steps(total),
            num_training_steps=total,
            scheduler_specific_kwargs=dict(args.lr_scheduler_kwargs or {}),
        )

    if args.load_best_model_at_end:
        options = {**_best(args, total, loader), **options}
    if isinstance(trainer.eval_dataset, torch.utils.data.Dataset | list):
        options.setdefault("val_data", _loader(trainer, held_out=True))
    precision = "bf16" if args.bf16 else "fp16" if args.fp16 else None
    return torch_sweep(
        trainer.model,
        loader,
        step=step,
        lrs=lrs,
        optimizer=optimizer,
        schedule=schedule,
        clip_grad_norm=args.max_grad_norm or None,
        **{"seed": args.seed, "precision": precision, **options, **length},
    )


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
    if hasattr(dataset, "column_names"):  # of the package datasets
        dataset = trainer._remove_unused_columns(dataset, description="training")
    shuffle = False
    if not held_out and not isinstance(dataset, IterableDataset):
        sampler = trainer._get_train_sampler()
        if type(sampler) not in (RandomSampler, SequentialSampler):
            raise OptionError(
                "A Trainer must draw its examples at random or in order. Got "
                f"{type(sampler).__name__} instead; leave group_by_length out."
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
        return [trainer.data_collator(part) for part in parts]

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
