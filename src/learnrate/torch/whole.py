"""Everything that a lane consists of in one module: the model, and the loss and metrics or the step."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.backends import mha

from learnrate.errors import OptionError
from learnrate.torch.losses import COLUMNS, LossFunction, check_scalar

__all__ = ["MODEL", "ByLoss", "ByStep", "Recipe", "StepFunction", "Whole"]

MODEL = "model."
"""What the names of the model's parameters and buffers begin with."""

StepFunction = Callable[..., Any]
"""Takes the lane's model, a minibatch and perhaps the lane's state, and returns the loss, or the loss and metrics by name."""


class Whole(nn.Module, ABC):
    """The model and all that its training calls, so that a deep copy is a training of its own.

    What was in evaluation mode while the model was in training mode stays there.

    Parameters
    ----------
    model : nn.Module

    Attributes
    ----------
    metric_names : tuple of str
        Of what is measured beside the loss.
    precision : torch.dtype or None
        What autocast computes in.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.metric_names: tuple[str, ...] = ()
        self.precision: torch.dtype | None = None
        self._resting: list[str] = []
        if model.training:
            self._resting = [name for name, part in model.named_modules() if not part.training]

    def train(self, mode: bool = True) -> Whole:
        """Training or evaluation mode."""
        super().train(mode)
        for name in self._resting if mode else ():
            self.model.get_submodule(name).eval()
        return self

    @property
    def functions(self) -> list[Any]:
        """The user's own functions."""
        raise NotImplementedError

    @property
    def measures(self) -> list[str]:
        """Names of what is measured: the loss first."""
        return ["loss", *self.metric_names]

    @abstractmethod
    def values(self, batch: Any, measuring: bool) -> list[Tensor]:
        """The loss of a minibatch, and the metrics if ``measuring``."""

    def run(self, batch: Any, measuring: bool = False) -> list[Tensor]:
        """The loss of a minibatch, and the metrics if ``measuring``, as tensors of shape ()."""
        if self.precision is None:
            return [value.reshape(()) for value in self.values(batch, measuring)]
        place = next(self.model.parameters()).device.type
        with torch.autocast(place, dtype=self.precision), _slow_attention():
            return [value.reshape(()) for value in self.values(batch, measuring)]

    def forward(
        self, batch: Any, measuring: bool = False
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """The loss and, if ``measuring``, the metrics of a minibatch; and all buffers after the call, by name."""
        return self.run(batch, measuring), dict(self.named_buffers())


@contextmanager
def _slow_attention() -> Iterator[None]:
    """The fast path of `nn.TransformerEncoder` in evaluation mode is off, which fails under autocast on a CPU."""
    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)


class ByLoss(Whole):
    """Trained by a loss of the model's output and the target.

    A loss or a metric that is an object keeps its state in each lane by itself; a loss that is a module has its
    parameters trained.
    """

    def __init__(
        self, model: nn.Module, loss: LossFunction, metrics: Mapping[str, LossFunction]
    ) -> None:
        super().__init__(model)
        self.loss = loss
        self.metrics = dict(metrics)
        self.metric_names = tuple(metrics)

    @property
    def functions(self) -> list[Any]:
        """The user's own functions."""
        return [self.loss, *self.metrics.values()]

    def values(self, batch: Any, measuring: bool) -> list[Tensor]:
        """The loss of a minibatch, and the metrics if ``measuring``."""
        inputs, target = batch
        output = self.model(*inputs)
        values = [self.loss(output, target)]
        if measuring:
            values += [self.metrics[name](output, target) for name in self.metric_names]
        return values


class ByStep(Whole):
    """Trained by a step of the user's own: ``step(model, batch)`` is the loss, or the loss and metrics by name.

    A step with a third argument is given a dict that each lane has for itself.
    """

    def __init__(self, model: nn.Module, step: StepFunction) -> None:
        super().__init__(model)
        self.step = step
        self.state: dict[str, Any] = {}
        self._with_state = _takes_state(step)

    @property
    def functions(self) -> list[Any]:
        """The user's own functions."""
        return [self.step]

    def learn_names(self, batch: Any) -> None:
        """Find out which metrics there are."""
        metrics = self._found(batch)[1]
        taken = [name for name in metrics if not isinstance(name, str) or name in COLUMNS]
        if taken:
            raise OptionError(
                f"A metric must have a name of its own; {', '.join(COLUMNS)} are taken. Got {taken[0]!r} instead."
            )
        self.metric_names = tuple(metrics)

    def values(self, batch: Any, measuring: bool) -> list[Tensor]:
        """The loss of a minibatch, and the metrics if ``measuring``."""
        loss, metrics = self._found(batch)
        values = [check_scalar(loss, "The loss that step returns")]
        for name in self.metric_names if measuring else ():
            if name not in metrics:
                raise OptionError(
                    f"step must return the same metrics for every minibatch. Got none named {name!r} instead."
                )
            metric = torch.as_tensor(metrics[name])
            values.append(metric if metric.is_floating_point() else metric.to(loss.dtype))
        return values

    def _found(self, batch: Any) -> tuple[Any, Mapping[str, Any]]:
        own = (self.state,) if self._with_state else ()
        found = self.step(self.model, batch, *own)
        if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Mapping):
            return found
        if not isinstance(found, Tensor):
            several = "; add up losses, and let further optimizers make their steps inside of step"
            raise OptionError(
                "step must return the loss, a tensor, or (loss, {'name': value}). Got "
                f"{type(found).__name__} instead{several if isinstance(found, list | tuple) else ''}."
            )
        return found, {}


def _takes_state(step: StepFunction) -> bool:
    """Whether a step cannot do without a third argument."""
    try:
        parameters = inspect.signature(step).parameters.values()
    except (TypeError, ValueError):  # something compiled
        return False
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in places and p.default is p.empty for p in parameters) == 3


@dataclass(frozen=True, eq=False)
class Recipe:
    """What is called in a training, besides the model.

    Attributes
    ----------
    loss, metrics
        Functions of output and target.
    step : callable, optional
        In place of these, a function of model and minibatch.
    precision : torch.dtype, optional
        What autocast computes in.
    """

    loss: LossFunction | None = None
    metrics: Mapping[str, LossFunction] = field(default_factory=dict)
    step: StepFunction | None = None
    precision: torch.dtype | None = None

    def whole(self, model: nn.Module) -> Whole:
        """All that a lane consists of."""
        made: Whole
        if self.step is not None:
            made = ByStep(model, self.step)
        else:
            assert self.loss is not None
            made = ByLoss(model, self.loss, self.metrics)
        made.precision = self.precision
        return made
