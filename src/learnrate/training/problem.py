"""The protocols of a problem, which is what is trained, and of an engine, which trains it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.training.states import LaneStates

__all__ = ["Engine", "Horizon", "Problem"]


@dataclass(frozen=True)
class Horizon:
    """How long lanes are trained, and when they are measured: before training, in between, and at the end.

    Attributes
    ----------
    epochs : int, optional
        Passes over the examples. Lanes are measured after each, unless ``every`` is given.
    steps : int, optional
        Number of steps, instead of ``epochs``. Lanes are measured at log-spaced ones, unless ``every`` is given.
    every : int, optional
        Steps from one measurement to the next.
    per_epoch : int, optional
        Steps of an epoch. If ``every`` is given and this is not known, the epoch of every state is 0.
    last : int, optional
        The number of the measurement that training ends at, where that is before the end.
    """

    epochs: int | None = None
    steps: int | None = None
    every: int | None = None
    per_epoch: int | None = None
    last: int | None = None

    @property
    def unit(self) -> str:
        """The unit of `positions`: ``"epoch"`` or ``"step"``."""
        return "epoch" if self.steps is None and self.every is None else "step"

    @property
    def log_spaced(self) -> bool:
        """Whether each measurement comes at about twice the steps of the one before."""
        return self.unit == "step" and self.every is None

    @cached_property
    def positions(self) -> Int[Array, " points"]:
        """When lanes are measured, in epochs or steps (see `unit`): from 0, the start, to the end."""
        return self._all_positions()[: None if self.last is None else self.last + 1]

    def _all_positions(self) -> Int[Array, " points"]:
        end = self.steps
        if end is None:
            assert self.epochs is not None
            if self.every is None:
                return np.arange(self.epochs + 1)
            assert self.per_epoch is not None
            end = self.epochs * self.per_epoch
        if self.every is not None:
            return np.append(np.arange(0, end, self.every), end)
        halvings = np.arange(end.bit_length() + 1)
        return np.unique(np.append(0, np.rint(end / 2.0**halvings))).astype(np.int64)

    @property
    def points(self) -> int:
        """Number of measurements of a lane, with the one before training."""
        if self.unit == "epoch" and self.last is None:
            assert self.epochs is not None
            return self.epochs + 1
        return len(self.positions)

    def _position(self, states: LaneStates) -> int | None:
        """Epochs or steps (see `unit`) that these states have been trained for; None inside an epoch if it counts epochs."""
        if self.unit == "epoch":
            return states.epoch if states.step == 0 else None
        return states.epoch * (self.per_epoch or 0) + states.step

    def point(self, states: LaneStates) -> int | None:
        """The number of the measurement that these states hold, from 0; None if they lie between two."""
        position = self._position(states)
        if position is None:
            return None
        point = self._last_at(position)
        exact = point if self.unit == "epoch" else int(self.positions[point])
        return point if exact == position else None

    def passed(self, states: LaneStates) -> int:
        """The number of the last measurement at or before these states, from 0."""
        position = self._position(states)
        return self._last_at(states.epoch if position is None else position)

    def _last_at(self, position: int) -> int:
        """The number of the last measurement at or before a position."""
        if self.unit == "epoch":  # quickly, since a short sweep asks often
            return min(position, self.points - 1)
        return int(np.searchsorted(self.positions, position, side="right")) - 1

    def reached(self, states: LaneStates | None) -> bool:
        """Whether these states are at the end of the training."""
        return states is not None and self.passed(states) == self.points - 1


class Problem(Protocol):
    """What is trained: examples, model, loss, optimizer, schedule and learning rates, for one seed. It can be pickled."""

    @property
    def lrs(self) -> Float[Array, " K"]:
        """Learning rates, one for each lane."""
        ...

    @property
    def seed(self) -> int:
        """The seed of every random number."""
        ...

    @property
    def n(self) -> int:
        """Number of examples in an epoch."""
        ...

    @property
    def horizon(self) -> Horizon:
        """How long lanes are trained, and when they are measured."""
        ...

    @property
    def processor(self) -> str:
        """What it is trained on, ``"CPU"`` or ``"GPU"``: a worker of a cluster has one of its own."""
        ...

    def tell(self, done: int) -> None:
        """Report how much was done since the last measurement, as the problem counts it. After pickling this does nothing."""
        ...

    def take(self, which: slice | Array) -> Problem:
        """The problem with some of its lanes. Each lane gets the same curve as among all lanes."""
        ...

    def until(self, point: int) -> Problem:
        """The problem with a horizon that ends at this measurement."""
        ...


class Engine(ABC):
    """Trains the lanes of a problem and yields their states. It saves, prints and prunes nothing.

    Attributes
    ----------
    name : str
        The value of the option ``engine``.
    lanes_per_vector : int
        Lanes that a vector instruction updates at once. The size of a group of lanes should be a multiple of it.
    """

    name: str
    lanes_per_vector: int = 1

    def supports(self, problem: Any) -> str | None:
        """None if the engine can train the problem, else a phrase that says why not."""
        return None

    def warm_up(self, problem: Any) -> None:  # noqa: B027  # most have nothing to load
        """Import, compile or load what takes long, ahead of the training."""

    def listened_to(self, on_message: Callable[[str], object] | None) -> Engine:
        """The engine with another callback for messages, or without one."""
        return self

    def alone(self) -> Engine:
        """The engine for a worker process: with one thread and no callbacks."""
        return self

    @abstractmethod
    def states(self, problem: Any, start: LaneStates | None = None) -> Iterator[LaneStates]:
        """Yield the states before training and at each measurement of the horizon.

        With ``start``, states that this engine yielded earlier, training continues from there and yields the states
        after it, the same as without the interruption. An engine may train some lanes after others. Then
        `LaneStates.lanes` says which they are, and the states of each lane come in order.
        """
