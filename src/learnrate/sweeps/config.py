"""The settings of a sweep, and their checks."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from learnrate.data.options import Table
from learnrate.data.order import Sampling, steps_per_epoch
from learnrate.errors import OptionError, not_one_of, option
from learnrate.sweeps.options import Optimizer
from learnrate.training.losses import get_loss
from learnrate.training.optimizers import choose_optimizer, get_optimizer
from learnrate.training.schedules import Schedule, ScheduleLike

__all__ = ["DTYPES", "SweepConfig"]

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class SweepConfig:
    """The settings of a sweep. Together with the examples they decide every number in the result.

    Attributes
    ----------
    batch_size : int
        Nominal minibatch size ``|B|``.
    epochs : int
        Number of passes over the examples: the horizon of the curves and of the suggestion.
    seed, seeds : int
        Runs use the seeds ``seed, seed + 1, …, seed + seeds − 1``.
    sampling : Sampling
        ``shuffle`` or ``independent``.
    dtype : str
        ``float64`` or ``float32``.
    engine : str
        ``auto`` or the name of an engine.
    momentum, weight_decay : float
        ``μ`` in [0, 1) and ``α ≥ 0``; see `learnrate.linear.problem`.
    loss : str
        The loss that is minimised: a name in `learnrate.training.losses.LOSSES`.
    optimizer : str
        A name in `learnrate.training.optimizers.OPTIMIZERS`. One whose only options are μ and α becomes ``"sgd"``.
    optimizer_options : mapping
        The options of the optimizer that differ from their defaults.
    schedule : str, Schedule or callable
        See `learnrate.training.schedules`.
    threads : int
        Threads an engine may use. The curves do not depend on it.
    block_size : int, optional
        Rows per block of the block shuffle; see `learnrate.data.order`.
    target, features : str and tuple of str, optional
        Columns of a table to predict, and to predict from.
    val : float
        Fraction of the examples held out.
    missing : str
        How missing values are treated: ``error``, ``drop`` or ``mean``.
    standardize : bool, optional
        Whether features are scaled to mean 0 and standard deviation 1; None means yes for tables, no for arrays.
    table : Table, optional
        How a table is read.
    prune : bool
        Whether rates that can no longer be the best are ended early; see `learnrate.training.pruning`.
    """

    batch_size: int = 10
    epochs: int = 3
    seed: int = 0
    seeds: int = 1
    sampling: Sampling = Sampling.SHUFFLE
    dtype: str = "float64"
    engine: str = "auto"
    momentum: float = 0.0
    weight_decay: float = 0.0
    loss: str = "squared"
    optimizer: str = "sgd"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    schedule: ScheduleLike = field(default="constant")
    threads: int = 1
    block_size: int | None = None
    target: str | None = None
    features: tuple[str, ...] | None = None
    val: float = 0.0
    missing: str = "error"
    standardize: bool | None = None
    table: Table | None = None
    prune: bool = False

    def __post_init__(self) -> None:
        """Check all that does not depend on the examples; `check_against` checks the rest."""
        for name in ("batch_size", "epochs", "seeds", "threads"):
            self._check_whole(name, at_least=1)
        self._check_whole("seed", at_least=0)
        if self.block_size is not None:
            self._check_whole("block_size", at_least=1)
        try:
            object.__setattr__(self, "sampling", Sampling(self.sampling))
        except ValueError:
            raise not_one_of(option("sampling"), self.sampling, Sampling) from None
        if self.block_size is not None and self.sampling is not Sampling.SHUFFLE:
            raise OptionError(
                f"{option('sampling')} must be shuffle where examples are visited in blocks. "
                f"Got {str(self.sampling)!r} instead; leave memory and block_size out for that."
            )
        if str(self.dtype) not in DTYPES:
            raise OptionError(
                f"{option('dtype')} must be float64 or float32. Got {str(self.dtype)!r} instead."
            )
        if isinstance(self.schedule, Schedule) and self.schedule == Schedule():
            object.__setattr__(self, "schedule", "constant")
        if not (isinstance(self.schedule, str | Schedule) or callable(self.schedule)):
            raise OptionError(
                f"{option('schedule')} must be a known name, a learnrate.Schedule or a function of the step. "
                f"Got {self.schedule!r} instead."
            )
        self._settle_loss_and_optimizer()
        self._check_number("momentum", "in [0, 1)", lambda value: 0 <= value < 1)
        self._check_number("weight_decay", "finite and ≥ 0", lambda value: 0 <= value < math.inf)

    def _settle_loss_and_optimizer(self) -> None:
        get_loss(self.loss)
        given = self.optimizer_options
        get_optimizer(self.optimizer)
        if self.optimizer == "sgd" and isinstance(given, Mapping) and not given:
            return  # μ and α are checked by the caller
        chosen = choose_optimizer(self.optimizer, given, self.momentum, self.weight_decay)
        names = ("optimizer", "optimizer_options", "momentum", "weight_decay")
        for name, value in zip(names, chosen, strict=True):
            object.__setattr__(self, name, value)

    @property
    def rule(self) -> Optimizer:
        """The optimizer with its options."""
        return Optimizer(self.optimizer, self.optimizer_options, self.momentum, self.weight_decay)

    @property
    def plain(self) -> bool:
        """Whether the loss is squared and the optimizer SGD, with or without momentum, as the theory of limits assumes."""
        return self.loss == "squared" and self.optimizer == "sgd" and not self.optimizer_options

    def _check_number(self, name: str, what: str, holds: Callable[[float], bool]) -> None:
        value = getattr(self, name)
        number = hasattr(value, "__float__") and not isinstance(value, bool)
        try:
            fits = number and holds(float(value))
        except (TypeError, ValueError, OverflowError):
            fits = False
        if not fits:
            raise OptionError(f"{option(name)} must be {what}. Got {value!r} instead.")
        object.__setattr__(self, name, float(value))

    def _check_whole(self, name: str, *, at_least: int) -> None:
        value = getattr(self, name)
        try:
            whole = not isinstance(value, bool) and operator.index(value) >= at_least
        except TypeError:
            whole = False
        if not whole:
            raise OptionError(
                f"{option(name)} must be a whole number, {at_least} or more. Got {value!r} instead."
            )
        object.__setattr__(self, name, int(value))

    def check_against(self, n: int) -> None:
        """Raise OptionError if the batch size is above n, the number of training examples."""
        if self.batch_size > n:
            raise OptionError(
                f"{option('batch_size')} must be between 1 and the number of training examples, {n}. "
                f"Got {self.batch_size} instead; use a smaller one ({n} is full-batch descent)."
            )

    def starting_at(self, seed: int) -> SweepConfig:
        """A copy of the settings with another first seed."""
        return self if seed == self.seed else replace(self, seed=seed)

    def total_steps(self, n: int) -> int:
        """Number of steps of a whole run on ``n`` examples."""
        return self.epochs * steps_per_epoch(n, self.batch_size)

    def as_dict(self) -> dict[str, Any]:
        """The settings in types that JSON has."""
        schedule = "a function" if callable(self.schedule) else str(self.schedule)
        table = None if self.table is None else self.table.given()
        return {
            **vars(self),
            "sampling": str(self.sampling),
            "schedule": schedule,
            "features": None if self.features is None else list(self.features),
            "table": table,
        }
