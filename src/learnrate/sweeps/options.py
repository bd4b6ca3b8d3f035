"""What is rare in a call, in small objects: options of an optimizer, and of tables that are larger than memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from learnrate.data.streaming.budget import parse_memory
from learnrate.errors import OptionError, option

__all__ = ["SGD", "Optimizer", "OutOfCore", "as_optimizer", "as_out_of_core"]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer with options, for the option ``optimizer`` of `learnrate.sweep`; a name alone has the defaults.

    Attributes
    ----------
    name : str
        One of the names that ``optimizer`` takes.
    options : mapping
        Its options, named as in `torch.optim`: ``{"betas": (0.9, 0.99)}``.
    momentum, weight_decay : float
        μ and α in ``v ← μ v + g``, ``θ ← θ − η s_t v``, where ``g`` is the minibatch gradient plus ``α w``; the bias is not
        decayed. They may also be among the options.

    Examples
    --------
    >>> Optimizer("adam", {"betas": (0.8, 0.99)})
    learnrate.Optimizer('adam', options={'betas': (0.8, 0.99)})
    """

    name: str = "sgd"
    options: Mapping[str, Any] = field(default_factory=dict)
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __repr__(self) -> str:
        """As it is written, without the defaults."""
        given = {
            "options": self.options,
            "momentum": self.momentum,
            "weight_decay": self.weight_decay,
        }
        words = [f"{name}={value!r}" for name, value in given.items() if value]
        plain = self.name == "sgd" and not self.options
        return (
            f"learnrate.SGD({', '.join(words)})"
            if plain
            else (f"learnrate.Optimizer({', '.join([repr(self.name), *words])})")
        )


class SGD(Optimizer):
    """Stochastic gradient descent with momentum or weight decay: ``v ← μ v + g``, ``θ ← θ − η s_t v``.

    Parameters
    ----------
    momentum : float
        μ in [0, 1).
    weight_decay : float
        α ≥ 0: ``g`` is the minibatch gradient plus ``α w``; the bias is not decayed.

    Examples
    --------
    >>> SGD(momentum=0.9)
    learnrate.SGD(momentum=0.9)
    """

    def __init__(self, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        super().__init__("sgd", {}, momentum, weight_decay)


def as_optimizer(optimizer: str | Optimizer) -> Optimizer:
    """An `Optimizer`, also from a name alone."""
    return optimizer if isinstance(optimizer, Optimizer) else Optimizer(optimizer)


@dataclass(frozen=True)
class OutOfCore:
    """How to train on a table in files that is larger than memory: in blocks, from a cache on disk.

    Attributes
    ----------
    budget : str, number or None
        Memory to use, such as ``"2GB"`` or a number of bytes. None trains in memory and visits the examples in
        blocks of ``block_size`` rows.
    block_size : int, optional
        Rows per block: in every epoch blocks are visited in a new order, and rows are shuffled inside them. By
        default as many as fit the budget.
    cache : path, optional
        The folder for caches; by default the user's cache folder.

    Examples
    --------
    >>> OutOfCore("2GB", block_size=100_000)
    OutOfCore(budget='2GB', block_size=100000, cache=None)
    """

    budget: str | float | None = None
    block_size: int | None = None
    cache: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        if self.cache is not None and self.budget is None:
            raise OptionError(
                f"{option('cache')} must come with {option('memory')}, the budget. Got it alone; give both."
            )
        if self.budget is not None:
            parse_memory(self.budget)

    @property
    def bytes(self) -> int | None:
        """The budget in bytes; None without one."""
        return None if self.budget is None else parse_memory(self.budget)


def as_out_of_core(memory: str | float | OutOfCore | None) -> OutOfCore:
    """An `OutOfCore`, also from a budget alone."""
    return memory if isinstance(memory, OutOfCore) else OutOfCore(memory)
