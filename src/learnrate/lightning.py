"""Sweeps of a `LightningModule`, with its training step, optimizer, schedule and logged metrics."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from learnrate._extras import require

require("lightning", extra="lightning", purpose="sweeps of a LightningModule")

import torch  # noqa: E402
from lightning.pytorch import LightningModule  # noqa: E402
from torch.utils.data import IterableDataset  # noqa: E402

from learnrate.errors import OptionError  # noqa: E402
from learnrate.torch import TorchSweepResult  # noqa: E402
from learnrate.torch import sweep as torch_sweep  # noqa: E402

__all__ = ["sweep"]

_RATES = ("lr", "learning_rate")
_HOOKS = [
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
    "on_before_batch_transfer",
    "on_after_batch_transfer",
    "transfer_batch_to_device",
    "configure_callbacks",
]
"""Hooks that can change a training and that a sweep does not call."""


def sweep(
    module: Any, data: Any, *, lrs: Any = "auto", epochs: int | None = None, **options: Any
) -> TorchSweepResult:
    """Train a LightningModule under many learning rates.

    The sweep uses `training_step`, `configure_optimizers` with one optimizer and at most one scheduler, and as metrics the
    values that `validation_step` logs. The rate must be an attribute ``lr`` or ``learning_rate`` of the module or its ``hparams``.

    Parameters
    ----------
    module : LightningModule
        The module, which is not changed.
    data : LightningDataModule, or data as for `learnrate.torch.sweep`
        Training examples, and for a data module also its held-out examples.
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
    if not isinstance(module, LightningModule):
        raise OptionError(
            f"module must be a LightningModule. Got {type(module).__name__} instead; use learnrate.torch.sweep for others."
        )
    if not module.automatic_optimization:
        raise OptionError(
            "A LightningModule must leave the steps to Lightning. Got one with automatic_optimization=False instead; "
            "write its training as learnrate.torch.sweep(…, step=…)."
        )
    for hook in _HOOKS:
        if getattr(type(module), hook, None) is not getattr(LightningModule, hook, None):
            raise OptionError(
                f"A LightningModule must do without hooks that change its training. Got {hook} instead; move it into "
                "training_step, or write the training as learnrate.torch.sweep(…, step=…)."
            )
    if hasattr(data, "train_dataloader"):
        data.prepare_data()
        data.setup("fit")
        held_out = data.val_dataloader()
        data = data.train_dataloader()
        if held_out is not None and not isinstance(held_out, list | tuple):
            options.setdefault("val_data", held_out)
    name = _rate_of(module)
    streamed = isinstance(getattr(data, "dataset", None), IterableDataset)
    per_epoch = [len(data)] if hasattr(data, "batch_sampler") and not streamed else []

    def optimizer(model: Any, lr: float) -> torch.optim.Optimizer:
        with _at(model, name, lr), _alone(model, {}):
            made, scheduler = _split(model.configure_optimizers(), per_epoch)
        if scheduler is not None:
            made.learnrate_scheduler = scheduler  # type: ignore[attr-defined]
        return made

    def schedule(optimizer: Any) -> Any:
        return optimizer.learnrate_scheduler

    with _at(module, name, 1e-3), _alone(module, {}):
        if _split(module.configure_optimizers(), per_epoch)[1] is not None:
            options.setdefault("schedule", schedule)
    return torch_sweep(
        module, data, step=_step, lrs=lrs, optimizer=optimizer, epochs=epochs, **options
    )


def _step(model: Any, batch: Any) -> Any:
    """The loss of `training_step`, and in evaluation the values that `validation_step` logs."""
    metrics: dict[str, Any] = {}
    with _alone(model, {}):
        loss = _call(model.training_step, batch)
    if not model.training and type(model).validation_step is not LightningModule.validation_step:
        with _alone(model, metrics):
            _call(model.validation_step, batch)
    loss = loss["loss"] if isinstance(loss, dict) else loss
    taken = {"loss": "logged_loss", "val_loss": "logged_val_loss"}
    return loss, {taken.get(name, name): value for name, value in metrics.items()}


def _call(function: Any, batch: Any) -> Any:
    """Call a step, with a number of the minibatch if it takes one."""
    takes = len(inspect.signature(function).parameters)
    return function(batch, 0) if takes > 1 else function(batch)


@contextmanager
def _alone(model: Any, logged: dict[str, Any]) -> Iterator[None]:
    """A context in which the module runs without a Trainer and its logged values are stored."""

    def log(name: str, value: Any, *_: Any, **__: Any) -> None:
        logged[name] = value

    def log_dict(values: Any, *_: Any, **__: Any) -> None:
        logged.update(values)

    vars(model)["log"], vars(model)["log_dict"] = log, log_dict
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*Trainer.*")
            yield
    finally:
        del vars(model)["log"], vars(model)["log_dict"]


def _rate_of(module: Any) -> str:
    """The name of the attribute that holds the learning rate."""
    for name in _RATES:
        if hasattr(module, name) or name in module.hparams:
            return name
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


def _split(configured: Any, per_epoch: list[int]) -> tuple[torch.optim.Optimizer, Any]:
    """The optimizer and the scheduler, for every step, from the result of `configure_optimizers`."""
    schedulers: Any = []
    if isinstance(configured, dict):
        schedulers = [configured["lr_scheduler"]] if "lr_scheduler" in configured else []
        configured = configured["optimizer"]
    elif isinstance(configured, tuple) and len(configured) == 2 and isinstance(configured[0], list):
        configured, schedulers = configured
    if isinstance(configured, list | tuple) and len(configured) == 1:
        configured = configured[0]
    if not isinstance(configured, torch.optim.Optimizer) or len(schedulers) > 1:
        raise OptionError(
            "configure_optimizers must give one optimizer, and one scheduler at most. Got "
            f"{type(configured).__name__} and {len(schedulers)} schedulers instead."
        )
    if not schedulers:
        return configured, None
    settings = schedulers[0] if isinstance(schedulers[0], dict) else {"scheduler": schedulers[0]}
    if settings.get("interval", "epoch") == "step":
        return configured, settings["scheduler"]
    if not per_epoch:
        raise OptionError(
            "A scheduler with interval 'epoch' must go with a DataLoader, whose length is known. Got other data instead; "
            "use interval 'step', or give a DataLoader."
        )
    return configured, _EveryEpoch(
        settings["scheduler"], per_epoch[0] * settings.get("frequency", 1)
    )


class _EveryEpoch(torch.optim.lr_scheduler.LRScheduler):
    """Calls a scheduler once every ``steps`` steps."""

    def __init__(self, inner: Any, steps: int) -> None:
        self._inner, self._steps, self._done = inner, steps, 0

    def step(self, epoch: Any = None) -> None:
        """Count a step of the optimizer."""
        self._done += 1
        if self._done % self._steps == 0:
            self._inner.step()
