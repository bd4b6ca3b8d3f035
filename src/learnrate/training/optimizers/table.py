"""The table of optimizers, and the checks of their options."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from learnrate.errors import OptionError, did_you_mean, not_one_of, option
from learnrate.training.optimizers.adam import (
    ADAM,
    ADAMAX,
    NADAM,
    RADAM,
    adam,
    adamax,
    adamw,
    nadam,
    radam,
)
from learnrate.training.optimizers.arrays import Operations, Step
from learnrate.training.optimizers.rules import (
    ADAGRAD,
    LION,
    RMSPROP,
    SGD,
    adagrad,
    lion,
    rmsprop,
    sgd,
)

__all__ = [
    "OPTIMIZERS",
    "Chosen",
    "Optimizer",
    "Rule",
    "check_options",
    "choose_optimizer",
    "get_optimizer",
    "is_plain",
]

Rule = Callable[[Operations, Any, Any, Step], None]
"""An update rule ``rule(operations, θ, g, step)``, which changes ``θ`` and the optimizer state in place.

``θ``, its gradient ``g`` and each array of the state have the same shape, with lanes along the first axis (K, P) or along
the last one; the K learning rates broadcast against it. All operations are elementwise, so lanes do not interact.
"""

Slots = Callable[[Mapping[str, Any]], tuple[str, ...]]
"""The names of the arrays in the optimizer state, given the options."""


@dataclass(frozen=True)
class Optimizer:
    """A row of `OPTIMIZERS`.

    Attributes
    ----------
    rule : Rule
        The update.
    equals : str or None
        The class of `torch.optim` that gives the same parameters when it trains a lane alone.
    defaults : mapping
        The options and their defaults, named as in that class.
    slots : Slots
        The names of the arrays in the optimizer state, which have the shape of θ.
    grid : (float, float)
        Ends of the logarithmic grid for ``lrs="auto"`` where there is no theory.
    """

    rule: Rule
    equals: str | None
    defaults: Mapping[str, Any]
    slots: Slots
    grid: tuple[float, float]


def _sgd_slots(options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("velocity",) if options["momentum"] else ()


def _adam_slots(options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("m", "v", "largest") if options["amsgrad"] else ("m", "v")


def _rmsprop_slots(options: Mapping[str, Any]) -> tuple[str, ...]:
    more = {"mean": options["centered"], "velocity": options["momentum"]}
    return ("v", *(name for name, there in more.items() if there))


def _always(*names: str) -> Slots:
    return lambda options: names


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(sgd, "SGD", SGD, _sgd_slots, (1e-3, 1.0)),
    "momentum": Optimizer(sgd, "SGD", {**SGD, "momentum": 0.9}, _sgd_slots, (1e-4, 1.0)),
    "nesterov": Optimizer(
        sgd, "SGD", {**SGD, "momentum": 0.9, "nesterov": True}, _sgd_slots, (1e-4, 1.0)
    ),
    "adam": Optimizer(adam, "Adam", ADAM, _adam_slots, (1e-5, 0.1)),
    "adamw": Optimizer(adamw, "AdamW", {**ADAM, "weight_decay": 1e-2}, _adam_slots, (1e-5, 0.1)),
    "nadam": Optimizer(nadam, "NAdam", NADAM, _always("m", "v"), (1e-5, 0.1)),
    "radam": Optimizer(radam, "RAdam", RADAM, _always("m", "v"), (1e-5, 0.1)),
    "adamax": Optimizer(adamax, "Adamax", ADAMAX, _always("m", "u"), (1e-5, 0.1)),
    "rmsprop": Optimizer(rmsprop, "RMSprop", RMSPROP, _rmsprop_slots, (1e-5, 0.1)),
    "adagrad": Optimizer(adagrad, "Adagrad", ADAGRAD, _always("sum"), (1e-3, 1.0)),
    "lion": Optimizer(lion, None, LION, _always("m"), (1e-6, 1e-2)),
}
"""Every optimizer by its name."""


def get_optimizer(name: str) -> Optimizer:
    """The optimizer of this name in `OPTIMIZERS`.

    Raises
    ------
    OptionError
        If there is no optimizer of this name.
    """
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise not_one_of(option("optimizer"), name, OPTIMIZERS)
    return OPTIMIZERS[name]


def _number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and math.isfinite(value)


_OPTION_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "momentum": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
    "dampening": ("a number", _number),
    "weight_decay": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
    "nesterov": ("true or false", lambda v: isinstance(v, bool)),
    "amsgrad": ("true or false", lambda v: isinstance(v, bool)),
    "centered": ("true or false", lambda v: isinstance(v, bool)),
    "decoupled_weight_decay": ("true or false", lambda v: isinstance(v, bool)),
    "betas": (
        "two numbers, each at least 0 and below 1",
        lambda v: (
            isinstance(v, tuple | list)
            and len(v) == 2
            and all(_number(b) and 0 <= b < 1 for b in v)
        ),
    ),
    "alpha": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
    "eps": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
    "momentum_decay": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
    "lr_decay": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
    "initial_accumulator_value": ("a number, 0 or more", lambda v: _number(v) and v >= 0),
}
"""For each option, what its value must be: in words, and as a check."""


def check_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of an optimizer: its defaults, replaced by those that are given.

    Raises
    ------
    OptionError
        If the optimizer does not have an option, or an option cannot have this value.
    """
    optimizer = get_optimizer(name)
    _check_mapping(given)
    for key, value in given.items():
        if key not in optimizer.defaults:
            raise OptionError(
                f"An option of the optimizer {name} must be one that it has. Got {key!r} instead."
                + did_you_mean(str(key), optimizer.defaults)
            )
        what, holds = _OPTION_CHECKS[key]
        if not holds(value):
            raise OptionError(
                f"The option {key!r} of {name} must be {what}. Got {value!r} instead."
            )
    options = {**optimizer.defaults, **given}
    if options.get("nesterov") and (not options["momentum"] or options["dampening"]):
        raise OptionError(
            "Nesterov momentum must have a momentum above 0 and no dampening. Got momentum "
            f"{options['momentum']} and dampening {options['dampening']} instead."
        )
    return options


def _check_mapping(given: Mapping[str, Any]) -> None:
    if not isinstance(given, Mapping):
        raise OptionError(
            "optimizer_options must be a mapping from names to values, such as {'weight_decay': 0.01}. "
            f"Got {given!r} instead."
        )


def all_options(
    name: str, given: Mapping[str, Any], momentum: float = 0.0, weight_decay: float = 0.0
) -> dict[str, Any]:
    """All options of an optimizer, where momentum and weight decay may also be given apart from the others.

    Raises
    ------
    OptionError
        If the optimizer does not have an option, an option cannot have this value, or it is given twice.
    """
    defaults = get_optimizer(name).defaults
    apart = {"momentum": momentum, "weight_decay": weight_decay}
    apart = {key: v for key, v in apart.items() if not (isinstance(v, int | float) and v == 0)}
    _check_mapping(given)
    for key in apart:
        if key not in defaults:
            raise OptionError(
                f"{option(key)} must go with an optimizer that has it. Got it with {name}; leave it out."
            )
        if key in given:
            raise OptionError(
                f"{option(key)} must be given once. Got it among the options of {name} too; leave one out."
            )
    return check_options(name, {**apart, **given})


class Chosen(NamedTuple):
    """An optimizer and its options, in the one form that `choose_optimizer` returns.

    ``momentum`` and ``weight_decay`` are used with ``"sgd"``; other optimizers have them in ``options``.
    """

    name: str
    options: dict[str, Any]
    momentum: float
    weight_decay: float


def choose_optimizer(
    name: str, given: Mapping[str, Any], momentum: float = 0.0, weight_decay: float = 0.0
) -> Chosen:
    """Check an optimizer with its options, and bring it into one form, so that equal optimizers compare equal.

    Momentum and weight decay may be given as arguments of their own or among the options. Plain SGD, with momentum or
    weight decay or without, becomes ``"sgd"`` with these two numbers and no options. Any other optimizer keeps the
    options that differ from its defaults.

    Raises
    ------
    OptionError
        If the optimizer does not have an option, an option cannot have this value, or it is given twice.
    """
    options = all_options(name, given, momentum, weight_decay)
    if is_plain(name, options):
        return Chosen("sgd", {}, float(options["momentum"]), float(options["weight_decay"]))
    defaults = get_optimizer(name).defaults
    kept = {key: value for key, value in options.items() if value != defaults[key]}
    return Chosen(name, kept, 0.0, 0.0)


def is_plain(name: str, options: Mapping[str, Any]) -> bool:
    """Whether an optimizer with all these options is ``v ← μ v + g + α θ``, ``θ ← θ − η v``."""
    damped = options.get("momentum") and options.get("dampening")
    return OPTIMIZERS[name].rule is sgd and not damped and not options["nesterov"]
