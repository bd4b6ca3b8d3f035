"""The optimisers, for all lanes at once: each update rule beside the `torch.optim` class that it equals.

The parameters of K lanes are one matrix ``θ`` (K, P), their gradients ``g`` (K, P), and ``η`` is (K, 1), so
that a rule reads as in its paper and no lane sees another's row. Rules work in place.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from learnrate.errors import OptionError, did_you_mean

__all__ = ["OPTIMIZERS", "Optimizer", "Rule", "State", "check_options", "get_optimizer"]

State = list[Tensor]
"""What an optimiser remembers between steps, each (K, P), all zeros before the first step."""

Rule = Callable[[Tensor, Tensor, State, Tensor, int, Mapping[str, Any]], None]
"""Takes ``θ, g, state, η, t, options`` with ``t = 1, 2, …`` and changes ``θ`` and ``state`` in place."""


def _decayed(theta: Tensor, g: Tensor, options: Mapping[str, Any]) -> Tensor:
    """``g + α θ``: L2 weight decay."""
    decay = options["weight_decay"]
    return g.add(theta, alpha=decay) if decay else g


def sgd(
    theta: Tensor, g: Tensor, state: State, lr: Tensor, t: int, options: Mapping[str, Any]
) -> None:
    """``v ← μ v + (1 − τ) g``, ``θ ← θ − η v``; with Nesterov ``θ ← θ − η (g + μ v)``.

    The first step has ``v = g``. Source: Sutskever et al. (2013), as `torch.optim.SGD` writes it.
    """
    g = _decayed(theta, g, options)
    momentum = options["momentum"]
    if momentum:
        (v,) = state
        if t == 1:
            v.copy_(g)
        else:
            v.mul_(momentum).add_(g, alpha=1 - options["dampening"])
        g = g.add(v, alpha=momentum) if options["nesterov"] else v
    theta.addcmul_(g, lr, value=-1)


def adam(
    theta: Tensor, g: Tensor, state: State, lr: Tensor, t: int, options: Mapping[str, Any]
) -> None:
    """``m ← β₁ m + (1−β₁) g``, ``v ← β₂ v + (1−β₂) g²``, ``θ ← θ − η m̂ / (√v̂ + ε)``.

    ``m̂ = m / (1 − β₁ᵗ)`` and ``v̂ = v / (1 − β₂ᵗ)``. Source: Kingma and Ba (arXiv 1412.6980).
    """
    _adam_step(theta, _decayed(theta, g, options), state, lr, t, options)


def adamw(
    theta: Tensor, g: Tensor, state: State, lr: Tensor, t: int, options: Mapping[str, Any]
) -> None:
    """``θ ← (1 − η α) θ``, then `adam` without decay. Source: Loshchilov and Hutter (arXiv 1711.05101)."""
    if options["weight_decay"]:
        theta.mul_(1 - lr * options["weight_decay"])
    _adam_step(theta, g, state, lr, t, options)


def _adam_step(
    theta: Tensor, g: Tensor, state: State, lr: Tensor, t: int, options: Mapping[str, Any]
) -> None:
    m, v = state
    beta1, beta2 = options["betas"]
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    root = (v.sqrt() / math.sqrt(1 - beta2**t)).add_(options["eps"])
    theta.addcdiv_(m * (lr / (1 - beta1**t)), root, value=-1)


def rmsprop(
    theta: Tensor, g: Tensor, state: State, lr: Tensor, t: int, options: Mapping[str, Any]
) -> None:
    """``v ← α v + (1−α) g²``, ``θ ← θ − η g / (√v + ε)``; see `torch.optim.RMSprop` for momentum.

    Source: Tieleman and Hinton (2012), lecture 6.5.
    """
    g = _decayed(theta, g, options)
    v, mean, momentum = state
    alpha = options["alpha"]
    v.mul_(alpha).addcmul_(g, g, value=1 - alpha)
    if options["centered"]:
        mean.lerp_(g, 1 - alpha)
        root = v.addcmul(mean, mean, value=-1).sqrt_().add_(options["eps"])
    else:
        root = v.sqrt().add_(options["eps"])
    if options["momentum"]:
        momentum.mul_(options["momentum"]).addcdiv_(g, root)
        theta.addcmul_(momentum, lr, value=-1)
    else:
        theta.addcdiv_(g * lr, root, value=-1)


def adagrad(
    theta: Tensor, g: Tensor, state: State, lr: Tensor, t: int, options: Mapping[str, Any]
) -> None:
    """``s ← s + g²``, ``θ ← θ − η g / (√s + ε)``. Source: Duchi, Hazan and Singer (2011)."""
    g = _decayed(theta, g, options)
    (s,) = state
    if t == 1 and options["initial_accumulator_value"]:
        s.fill_(options["initial_accumulator_value"])
    s.addcmul_(g, g)
    step = lr / (1 + (t - 1) * options["lr_decay"])
    theta.addcdiv_(g * step, s.sqrt().add_(options["eps"]), value=-1)


@dataclass(frozen=True)
class Optimizer:
    """A row of `OPTIMIZERS`.

    Attributes
    ----------
    rule : Rule
        The update.
    equals : type
        The `torch.optim` class that gives each lane's parameters when it trains that lane alone.
    defaults : mapping
        Options, named and set as in that class unless this row says otherwise.
    memory : int
        Matrices of the size of θ that the rule remembers.
    grid : (float, float)
        Ends of the log grid that ``lrs="auto"`` stands for.
    """

    rule: Rule
    equals: type[torch.optim.Optimizer]
    defaults: Mapping[str, Any]
    memory: int
    grid: tuple[float, float]

    @property
    def default_lr(self) -> float:
        """The learning rate that `torch.optim` takes where none is given."""
        return float(inspect.signature(self.equals).parameters["lr"].default)


_SGD = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
_ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
_RMSPROP = {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False}
_ADAGRAD = {"lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}

OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(sgd, torch.optim.SGD, _SGD, 1, (1e-3, 1.0)),
    "momentum": Optimizer(sgd, torch.optim.SGD, {**_SGD, "momentum": 0.9}, 1, (1e-4, 1.0)),
    "nesterov": Optimizer(
        sgd, torch.optim.SGD, {**_SGD, "momentum": 0.9, "nesterov": True}, 1, (1e-4, 1.0)
    ),
    "adam": Optimizer(adam, torch.optim.Adam, _ADAM, 2, (1e-5, 0.1)),
    "adamw": Optimizer(adamw, torch.optim.AdamW, {**_ADAM, "weight_decay": 1e-2}, 2, (1e-5, 0.1)),
    "rmsprop": Optimizer(rmsprop, torch.optim.RMSprop, _RMSPROP, 3, (1e-5, 0.1)),
    "adagrad": Optimizer(adagrad, torch.optim.Adagrad, _ADAGRAD, 1, (1e-3, 1.0)),
}
"""Name → rule, the class that it equals, and its options."""


def get_optimizer(name: str) -> Optimizer:
    """A row of `OPTIMIZERS`.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    if name not in OPTIMIZERS:
        raise OptionError(
            f"optimizer must be one of {', '.join(OPTIMIZERS)}. Got {name!r} instead."
            + did_you_mean(str(name), OPTIMIZERS)
        )
    return OPTIMIZERS[name]


def check_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of an optimiser: the given ones over the defaults.

    Raises
    ------
    OptionError
        For an option that the optimiser does not have, or a value that its `torch.optim` class refuses.
    """
    optimizer = get_optimizer(name)
    if not isinstance(given, Mapping):
        raise OptionError(
            "optimizer_options must be a mapping from names to values, such as {'weight_decay': 0.01}. "
            f"Got {given!r} instead."
        )
    for option in given:
        if option not in optimizer.defaults:
            raise OptionError(
                f"optimizer_options must be options of {name}. Got {option!r} instead."
                + did_you_mean(str(option), optimizer.defaults)
            )
    options = {**optimizer.defaults, **given}
    try:
        optimizer.equals([torch.zeros(1, requires_grad=True)], lr=1.0, **options)  # type: ignore[call-arg]
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"optimizer_options must be values that torch.optim.{optimizer.equals.__name__} takes. "
            f"Got {dict(given)!r} instead: {error}"
        ) from None
    return options
