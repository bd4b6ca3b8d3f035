"""How a model becomes all that a lane consists of: by a loss, or by a step of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from learnrate.torch.losses import LossFunction
from learnrate.torch.whole import ByLoss, ByStep, StepFunction, Whole

__all__ = ["Recipe"]


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
