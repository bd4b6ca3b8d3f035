"""What stands for the Trainer while a LightningModule runs in a sweep: it knows what a sweep knows of the training."""

from __future__ import annotations

import dis
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, IterableDataset

from learnrate.errors import OptionError
from learnrate.torch.run import DEFAULT_BATCH_SIZE

__all__ = ["Course", "StandIn", "alone", "base_of", "counts_minibatches", "overrides"]


def base_of(thing: Any, name: str) -> Any:
    """Lightning's own class of that name, of either package, that an object is of; None if it is of none."""
    packages = ("lightning", "pytorch_lightning")
    classes = (c for c in type(thing).__mro__ if c.__name__ == name)
    return next((c for c in classes if c.__module__.split(".")[0] in packages), None)


def overrides(thing: Any, name: str, base: Any) -> bool:
    """Whether an object's class has a method of its own in place of Lightning's."""
    return getattr(type(thing), name, None) is not getattr(base, name, None)


@dataclass(frozen=True)
class Course:
    """How long a training is.

    Attributes
    ----------
    minibatches : int or None
        Of an epoch, where they can be counted.
    accumulate : int
        Minibatches of a step.
    epochs, steps : int or None
        What was asked for.
    """

    minibatches: int | None = None
    accumulate: int = 1
    epochs: int | None = None
    steps: int | None = None

    @staticmethod
    def of(data: Any, epochs: int | None, options: Mapping[str, Any]) -> Course:
        """The course of a sweep of some data."""
        steps, size = options.get("steps"), options.get("batch_size")
        accumulate, last = int(options.get("accumulate", 1)), 0
        minibatches: int | None = None
        rows = data
        if isinstance(data, DataLoader):
            if isinstance(data.dataset, IterableDataset):
                rows = None
            elif size is None:
                minibatches, rows = len(data), None
            else:
                rows, last = data.sampler, int(data.drop_last)
        elif isinstance(data, Sequence) and data and hasattr(data[0], "shape"):
            rows = data[0]
        if minibatches is None and hasattr(rows, "__len__"):
            size = min(size or DEFAULT_BATCH_SIZE, len(rows)) or 1
            minibatches = len(rows) // size if last else -(-len(rows) // size)
        epochs = 3 if epochs is None and steps is None else epochs
        return Course(minibatches, accumulate, epochs, steps)

    @property
    def rest(self) -> int:
        """Minibatches of the last step of an epoch, where these are fewer than of others; else 0."""
        return (self.minibatches or 0) % self.accumulate

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch."""
        if not self.minibatches:
            raise OptionError(
                "What goes by epochs must go with data whose length is known. Got other data instead; use a scheduler with "
                "interval 'step', or give a DataLoader of a Dataset with numbers."
            )
        return -(-self.minibatches // self.accumulate)

    @property
    def total(self) -> int:
        """All steps."""
        return self.steps if self.steps is not None else (self.epochs or 0) * self.per_epoch


class _Silent:
    """Stands for a logger: whatever is called on it does nothing."""

    def __getattr__(self, name: str) -> _Silent:
        return self

    def __call__(self, *_: Any, **__: Any) -> _Silent:
        return self


class StandIn:
    """Stands for the Trainer while a module runs: what a sweep knows is there, anything else is refused by name."""

    world_size = num_devices = num_nodes = 1
    global_rank = local_rank = node_rank = 0
    is_global_zero = True
    sanity_checking = testing = predicting = fast_dev_run = False
    progress_bar_callback = None

    def __init__(self, course: Course, source: Any, done: int | None, training: bool) -> None:
        self._course, self._done = course, done
        self.training, self.validating, self.datamodule = training, not training, source
        self.logger = _Silent()
        self.loggers: list[Any] = []
        self.callbacks: list[Any] = []
        self.accumulate_grad_batches = course.accumulate
        self.max_epochs = -1 if course.epochs is None else course.epochs
        self.max_steps = -1 if course.steps is None else course.steps

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise OptionError(
            f"A LightningModule must do without {name} of its Trainer, which a sweep has not. Got one that asks for it; give "
            "what it needs to __init__, or write the training as learnrate.torch.sweep(…, step=…)."
        )

    @property
    def num_training_batches(self) -> int:
        """Minibatches of an epoch."""
        return (self._course.per_epoch and self._course.minibatches) or 0

    @property
    def estimated_stepping_batches(self) -> int:
        """All steps of the optimizer."""
        return self._course.total

    @property
    def _begun(self) -> tuple[int, int]:
        """The epoch, and the number of the minibatch in it that is trained on or was trained on last."""
        if self._done is None:
            return self.__getattr__("current_epoch and global_step")  # type: ignore[no-any-return]
        last = self._done if self.training else max(0, self._done - 1)
        return divmod(last, self._course.minibatches or 1)

    @property
    def batch(self) -> int:
        """The number of the minibatch in its epoch; 0 where nobody asks for it."""
        return 0 if self._done is None else self._begun[1]

    @property
    def current_epoch(self) -> int:
        """The number of the epoch, from 0."""
        return self._begun[0]

    @property
    def global_step(self) -> int:
        """Steps that the optimizer has made."""
        epoch, minibatch = self._begun
        if not self._done:
            return 0
        each = self._course.accumulate
        within = minibatch // each if self.training else -(-(minibatch + 1) // each)
        return epoch * self._course.per_epoch + within


def counts_minibatches(module: Any, base: Any) -> bool:
    """Whether the module's code asks for the epoch, the step or the number of a minibatch."""
    own = type(module).__mro__
    for part in own[: own.index(base)]:
        for value in vars(part).values():
            function = getattr(value, "fget", getattr(value, "__func__", value))
            code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", 0)
            if code and {"current_epoch", "global_step"} & set(_names(code)):
                return True
    code = getattr(inspect.unwrap(type(module).training_step), "__code__", None)
    if code is None or code.co_argcount < 3:
        return False
    name = code.co_varnames[2]
    return any(
        name in (i.argval if isinstance(i.argval, tuple) else (i.argval,))
        for i in dis.get_instructions(code)
        if "LOAD" in i.opname or i.opname == "MAKE_CELL"
    )


def _names(code: Any) -> Iterator[str]:
    """Names in a function and in functions written inside of it."""
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)


@contextmanager
def alone(model: Any, trainer: StandIn, logged: dict[str, Any]) -> Iterator[None]:
    """A context in which the module runs without a Trainer and its logged values are stored."""

    def log(name: str, value: Any, *_: Any, **__: Any) -> None:
        logged[name] = value

    def log_dict(values: Any, *_: Any, **__: Any) -> None:
        logged.update(values.items())

    def refused() -> Any:
        return trainer.optimizers

    put = {"log": log, "log_dict": log_dict, "optimizers": refused, "lr_schedulers": refused}
    parts = [part for part in model.modules() if base_of(part, "LightningModule") is not None]
    before = [(part, dict(vars(part))) for part in parts]
    for part in parts:
        vars(part).update({**put, "_trainer": trainer})
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*Trainer.*")
            warnings.filterwarnings("ignore", message=".*``compute`` method.*")
            yield
    finally:
        for part, attributes in before:
            for name in (*put, "_trainer"):
                vars(part).pop(name, None)
                if name in attributes:
                    vars(part)[name] = attributes[name]
