"""What is trained in a sweep of a PyTorch model: the training that all lanes have in common, and rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from learnrate._shapes import Array, Float
from learnrate.torch.config import TorchConfig
from learnrate.torch.examples import Examples
from learnrate.torch.lanes import StepOptions
from learnrate.torch.orders import Order
from learnrate.torch.randomness import sweep_world
from learnrate.torch.rules import Chosen
from learnrate.torch.start import Source, start_whole
from learnrate.torch.whole import Recipe, Whole
from learnrate.training.problem import Horizon

__all__ = ["TorchProblem", "Training"]


@dataclass(frozen=True, eq=False)
class Training:
    """All that decides a lane but its rate and its seed. It can be pickled where the user's own things can.

    Attributes
    ----------
    config : TorchConfig
        What was asked for.
    model : nn.Module or callable
        The user's own.
    examples, held_out : Examples
        Trained on and held out; the latter may be None.
    order : Order
        Which examples make which minibatch.
    recipe : Recipe
        What is minimised, and what is measured beside it.
    chosen : Chosen
        The optimizer.
    options : StepOptions
        What a step does besides.
    multipliers : float64 array, optional
        The schedule.
    sharpness : bool
        Whether to measure it.
    keep : bool
        Whether the last states hold the parameters.
    horizon : Horizon
        How long lanes are trained.
    eval_train : bool
        Whether the training loss is measured over all examples; else it is the mean over the minibatches that were
        trained on since the last measurement.
    methods : dict
        How the lanes of a seed are trained, as `LaneStates.method` says it, once that is settled: every worker, and a
        sweep that goes on from a checkpoint, goes the same way.
    prepared, starts : dict
        What an engine found out about a seed, so that training that goes on need not find it out again, and what
        its lanes start from. They are not pickled.
    """

    config: TorchConfig
    model: Source
    examples: Examples
    held_out: Examples | None
    order: Order
    recipe: Recipe
    chosen: Chosen
    options: StepOptions
    multipliers: Float[Array, " steps"] | None
    sharpness: bool
    keep: bool
    horizon: Horizon
    eval_train: bool = True
    methods: dict[int, str] = field(default_factory=dict)
    prepared: dict[int, Any] = field(default_factory=dict)
    starts: dict[int, Whole] = field(default_factory=dict)

    def start(self, seed: int) -> Whole:
        """What the lanes of a seed start from, on the device. Nobody may change it."""
        if seed not in self.starts:
            with sweep_world(self.device):
                self.starts[seed] = start_whole(
                    self.model, self.recipe, self.config.start, seed, self.device
                )
        return self.starts[seed]

    @property
    def steps(self) -> int:
        """Number of steps of the optimizer in an epoch."""
        return -(-self.order.steps // self.options.accumulate)

    @property
    def stops(self) -> list[int]:
        """The steps, counted from the start, after which lanes are measured; the last one is the end."""
        positions: list[int] = self.horizon.positions.tolist()
        return positions if self.horizon.unit == "step" else [p * self.steps for p in positions]

    def scales(
        self, multipliers: Float[Array, " steps"] | None, begin: int, end: int
    ) -> list[float]:
        """``s_t`` of some steps."""
        if multipliers is None:
            return [1.0] * (end - begin)
        scales: list[float] = multipliers[begin:end].tolist()
        return scales

    @property
    def measured(self) -> Examples | None:
        """Examples that are measured on in blocks: those trained on, or else those held out."""
        return self.examples if self.eval_train else self.held_out

    @property
    def device(self) -> torch.device:
        """The device on which lanes are trained."""
        return torch.device(self.config.device)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "prepared": {}, "starts": {}}


@dataclass(frozen=True, eq=False)
class TorchProblem:
    """Lanes of one seed; see `learnrate.training.problem.Problem`.

    Attributes
    ----------
    training : Training
        What all lanes have in common.
    lrs : float64 array, shape (K,)
        Learning rates.
    seed : int
        Decides order and draws.
    on_steps : callable, optional
        Called with the steps that the lanes have made since the last measurement, all together.
    whole : int, optional
        How many lanes the problem has of which these are a part: by them an engine chooses its way, so that a
        lane comes out the same in a part as in the whole.
    last : int, optional
        The number of the measurement that it is trained up to, where that is not the end.
    """

    training: Training
    lrs: Float[Array, " K"]
    seed: int
    on_steps: Callable[[float], object] | None = None
    whole: int | None = None
    last: int | None = None

    @property
    def lanes(self) -> int:
        """Number of lanes by which an engine chooses its way: those of the whole."""
        return len(self.lrs) if self.whole is None else self.whole

    @property
    def n(self) -> int:
        """Examples of an epoch."""
        return len(self.training.examples)

    @property
    def horizon(self) -> Horizon:
        """How long lanes are trained, and where they are measured."""
        return replace(self.training.horizon, last=self.last)

    @property
    def processor(self) -> str:
        """What it is trained on: ``"CPU"`` or ``"GPU"``."""
        return "GPU" if self.training.device.type == "cuda" else "CPU"

    def tell(self, steps: float) -> None:
        """Report the steps that the lanes have made since the last measurement, all together."""
        if self.on_steps is not None:
            self.on_steps(steps)

    def take(self, which: slice | Array) -> TorchProblem:
        """A problem with some of the lanes, whose curves are the same as when all lanes are trained."""
        return replace(self, lrs=self.lrs[which], whole=self.lanes)

    def until(self, point: int) -> TorchProblem:
        """A problem with all lanes that ends after the measurement number ``point``, from 0."""
        return replace(self, last=point)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "on_steps": None}
