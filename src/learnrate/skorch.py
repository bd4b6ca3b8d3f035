"""Sweeps of a skorch `NeuralNet`, with its module, criterion, optimizer, iterators and split."""

from __future__ import annotations

import copy
from typing import Any

from learnrate._extras import require

require("skorch", extra="skorch", purpose="sweeps of a skorch NeuralNet")

import skorch  # noqa: E402
import torch  # noqa: E402
from skorch.dataset import unpack_data  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from learnrate.errors import OptionError  # noqa: E402
from learnrate.torch import TorchSweepResult  # noqa: E402
from learnrate.torch import sweep as torch_sweep  # noqa: E402
from learnrate.torch.failures import refuse_own  # noqa: E402
from learnrate.torch.randomness import forked_random_states  # noqa: E402

__all__ = ["sweep"]

_WATCHING = [
    "EpochTimer",
    "PrintLog",
    "ProgressBar",
    "PassthroughScoring",
    "EpochScoring",
    "BatchScoring",
    "Checkpoint",
    "TrainEndCheckpoint",
    "TensorBoard",
    "WandbLogger",
    "MlflowLogger",
    "NeptuneLogger",
    "SacredLogger",
]
"""Callbacks of skorch that change no training."""
_METHODS = [
    "fit_loop",
    "run_single_epoch",
    "train_step",
    "train_step_single",
    "initialize_module",
    "initialize_criterion",
    "initialize_optimizer",
    "on_train_begin",
    "on_epoch_begin",
    "on_epoch_end",
    "on_batch_begin",
    "on_batch_end",
    "on_grad_computed",
]
"""Methods that a sweep does not call, where a subclass has its own."""
_OWN = ["loss", "step", "optimizer", "optimizer_options", "metrics", "batch_size"]
"""Options that the net has the place of."""


def sweep(
    net: Any, X: Any, y: Any = None, *, lrs: Any = "auto", **options: Any
) -> TorchSweepResult:
    """Train what a `NeuralNet` would fit, under many learning rates.

    The sweep uses its module, criterion, optimizer with its options and groups, iterators, split and ``max_epochs``, and
    `get_loss` and `infer` of a subclass. The net is not changed. A net that has been initialised starts from its parameters
    as they are; else each seed has new ones. ``net.module_`` loads the result's ``state_dict()``.

    Parameters
    ----------
    net : skorch.NeuralNet
        With one module. Of callbacks that change a training, gradient clipping is followed.
    X, y
        What ``net.fit`` takes.
    lrs : numbers or str
        See `learnrate.torch.sweep`.
    **options
        Other parameters of `learnrate.torch.sweep`, such as ``seeds``, ``schedule``, ``eval_every``; ``epochs`` or ``steps``
        replace the net's ``max_epochs``.

    Raises
    ------
    OptionError
        If the net uses something that a sweep does not support.
    """
    if not isinstance(net, skorch.NeuralNet):
        raise OptionError(
            f"net must be a skorch.NeuralNet. Got {type(net).__name__} instead; use learnrate.torch.sweep for a module."
        )
    refuse_own(options, _OWN, "net")
    for name in _METHODS:
        if not getattr(net, name).__module__.startswith("skorch."):
            raise OptionError(
                f"A net must be trained by skorch's own {name}: that of a subclass is not followed. Got "
                f"{type(net).__name__}.{name} instead; write the training as learnrate.torch.sweep(…, step=…)."
            )
    begun = bool(getattr(net, "initialized_", False))
    with forked_random_states(torch.device("cpu")):
        own = copy.deepcopy(net) if begun else _initialised(net)
        trained, held_out = own.get_split_datasets(X, y)
    kept: dict[str, Any] = _cut(own)
    loaders = {"data": own.get_iterator(trained, training=True)}
    if held_out is not None and "val_data" not in options:
        loaders["val_data"] = own.get_iterator(held_out, training=False)
    for name, loader in loaders.items():
        if not isinstance(loader, DataLoader):
            raise OptionError(
                f"The iterators of a net must be DataLoaders. Got {type(loader).__name__} for {name} instead."
            )
    if "steps" not in options:
        kept["epochs"] = own.max_epochs
    rate = "optimizer__lr" if hasattr(own, "optimizer__lr") else "lr"

    def with_model(model: Any) -> Any:
        """The net with the lane's modules."""
        running = copy.copy(own)
        if _learns(own):
            vars(running).update(module_=model["module"], criterion_=model["criterion"])
        else:
            vars(running)["module_"] = model
        return running

    def step(model: Any, batch: Any) -> Any:
        running = with_model(model)
        inputs, target = unpack_data(batch)
        return running.get_loss(running.infer(inputs), target, X=inputs, training=model.training)

    def optimizer(model: Any, lr: float) -> torch.optim.Optimizer:
        running = with_model(model)
        vars(running)[rate] = lr
        given, named = running.get_params_for_optimizer(
            "optimizer", running.get_all_learnable_params()
        )
        made: torch.optim.Optimizer = own.optimizer(*given, **named)
        return made

    return torch_sweep(
        _model(own) if begun else lambda: _model(_initialised(net)),
        step=step,
        optimizer=optimizer,
        lrs=lrs,
        **{**loaders, **kept, **options},
    )


def _initialised(net: Any) -> Any:
    """A copy of the net with new parameters."""
    own = copy.deepcopy(net)
    own.set_params(verbose=0)
    return own.initialize()


def _learns(own: Any) -> bool:
    """Whether the criterion has parameters that are trained."""
    return any(p.requires_grad for p in own.criterion_.parameters())


def _model(own: Any) -> nn.Module:
    """What is trained: the module, or both where the criterion is trained too."""
    parts = {"module": own.module_, "criterion": own.criterion_}
    return nn.ModuleDict(parts) if _learns(own) else own.module_


def _cut(own: Any) -> dict[str, Any]:
    """How gradients are cut by its callbacks; others that change a training are refused."""
    found: dict[str, Any] = {}
    for _, callback in own.callbacks_:
        kind = type(callback)
        ours = kind.__module__.startswith("skorch.")
        if ours and kind.__name__ in _WATCHING:
            continue
        norm = getattr(callback, "gradient_clip_norm_type", None)
        if not (ours and norm == 2):
            raise OptionError(
                "A net must do without callbacks that change its training, but for GradientNormClipping by the norm 2. Got "
                f"{kind.__name__} instead; take it off, and give a scheduler as schedule=."
            )
        found["clip_grad_norm"] = callback.gradient_clip_value
    return found
