"""Lanes being trained: what stacked lanes and lanes one at a time have in common."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples
from learnrate.torch.fingerprints import checksum
from learnrate.torch.pacing import SchedulerFactory
from learnrate.torch.pieces import Piece, Place
from learnrate.torch.probe import Probe
from learnrate.torch.rules import Chosen, Rule
from learnrate.torch.states import Layout, Rows, copied
from learnrate.torch.whole import Whole

__all__ = ["Lanes", "StepOptions", "Task", "evaluation_blocks"]


@dataclass(frozen=True, eq=False)
class StepOptions:
    """What a step does besides the optimizer's own.

    Attributes
    ----------
    accumulate : int
        Minibatches whose mean gradient makes one step.
    clip_norm, clip_value : float, optional
        The gradient's norm, and each of its numbers, are cut to this.
    scheduler : callable, optional
        Makes a scheduler of `torch.optim.lr_scheduler` for a lane's optimizer.
    scaled : bool
        Whether losses are scaled for gradients in float16.
    ema : float, optional
        Decay ``d`` of an average of the parameters, ``ē ← d ē + (1 − d) θ`` after each step but the first, which it is set
        to, as by `torch.optim.swa_utils.get_ema_multi_avg_fn`. It is what is measured and kept.
    """

    accumulate: int = 1
    clip_norm: float | None = None
    clip_value: float | None = None
    scheduler: SchedulerFactory | None = None
    scaled: bool = False
    ema: float | None = None

    def groups(self, batches: Iterable[Any]) -> Iterator[list[Any]]:
        """Minibatches of one step after another; at the end there may be fewer."""
        waiting = iter(batches)
        while group := list(itertools.islice(waiting, self.accumulate)):
            yield group


@dataclass(frozen=True, eq=False)
class Task:
    """What all lanes of a seed have in common.

    Attributes
    ----------
    whole : Whole
        Where they start from, on the device. Nobody may run it: lanes are copies.
    seed : int
        Decides order and draws.
    chosen : Chosen
        The optimizer.
    layout : Layout
        The trained parameters.
    rules : list of Rule, or None
        How stacked lanes move each of them; None where each lane's own optimizer moves views.
    closed : bool
        Whether a step of the optimizer computes the loss again.
    reason : str or None
        Why lanes cannot be stacked for what their steps are.
    options : StepOptions
        What a step does besides.
    multipliers : float64 array or None
        ``s_t`` for stacked lanes.
    probe : Probe
        What a first pass showed.
    batch_size : int
        Examples of a minibatch.
    evaluated_at_once : int
        Examples in one evaluation; the same however many lanes are trained at once.
    sum : int
        The checksum of what no lane changes.
    """

    whole: Whole
    seed: int
    chosen: Chosen
    layout: Layout
    rules: list[Rule] | None
    closed: bool
    reason: str | None
    options: StepOptions
    multipliers: Float[Array, " steps"] | None
    probe: Probe
    batch_size: int
    evaluated_at_once: int
    sum: int

    @property
    def left_out(self) -> list[str]:
        """Names of the parameters with gradients that the optimizer was not given."""
        given = set(self.layout.names)
        named = self.whole.named_parameters()
        return [name for name, p in named if p.requires_grad and name not in given]

    @property
    def fixed(self) -> list[Tensor]:
        """What no lane changes: all lanes can hold it together."""
        return self.probe.fixed_in(self.whole)

    def fixed_changed(self, whole: Whole) -> bool:
        """Whether a lane has changed what it holds together with others."""
        return checksum(self.probe.fixed_in(whole)) != self.sum

    def in_full_precision(self) -> Task:
        """The same training without autocast."""
        whole, warmed = copy_of(self.whole), copy_of(self.probe.warmed or self.whole)
        whole.precision = warmed.precision = None
        return replace(self, whole=whole, probe=replace(self.probe, warmed=warmed))

    def why_separate(self) -> str | None:
        """Why lanes have to be trained one at a time, as far as can be told without trying."""
        return self.probe.why_separate() or self.reason

    @property
    def slots(self) -> int:
        """Arrays of the optimizer state, at most."""
        found = (len(rule.row.slots(rule.options)) for rule in self.rules or ())
        return max(found, default=2)

    @property
    def device(self) -> torch.device:
        """The device on which lanes are trained."""
        return next(self.whole.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What lanes are trained in."""
        return self.start_row().dtype

    def start_row(self) -> Tensor:
        """The parameters at the start, (P,)."""
        return self.layout.join(self.whole)


class Lanes(ABC):
    """Some lanes of one seed, in training."""

    place: Place

    @abstractmethod
    def train(self, piece: Piece) -> Iterator[int]:
        """Visit the minibatches that are left of a piece in order.

        After every step, or step of one lane, it gives the steps that were made of all lanes together; there
        `arrays` and `where` hold what training continues from. ``place`` has the losses, as they were trained on.
        """

    @abstractmethod
    def where(self, piece: Piece) -> dict[str, Array]:
        """Arrays that say how far each lane is in a piece, to be saved between two measurements."""

    @abstractmethod
    def evaluate(
        self, examples: Examples, blocks: Sequence[Tensor] | None = None
    ) -> Float[Array, "M K"]:
        """Each of the task's measures over all examples or some blocks of them, in evaluation mode. It changes nothing."""

    @abstractmethod
    def rows(self) -> Iterator[tuple[str, Rows]]:
        """What training continues from, one after another: names of `learnrate.torch.states`, and the lanes' numbers.

        They may be the lanes' own memory.
        """

    def arrays(self) -> dict[str, Array]:
        """What training continues from, as copies."""
        return {name: copied(rows) for name, rows in self.rows()}

    @abstractmethod
    def load(self, arrays: Mapping[str, Array], steps: int, ended: Sequence[str]) -> None:
        """Go to where lanes were that had taken so many steps by the last measurement."""

    @abstractmethod
    def unmoved(self) -> set[str]:
        """Names of the trained parameters that no minibatch gave a gradient."""

    def has_moved(self, name: str) -> bool:
        """Whether any lane's parameter of that name, which the optimizer was not given, has changed all the same."""
        return False

    @property
    def ended(self) -> list[str]:
        """What ended each lane before its time; empty where nothing did."""
        return []


def evaluation_blocks(examples: Examples, at_once: int) -> tuple[Tensor, ...]:
    """Numbers of all examples, in blocks."""
    return torch.split(torch.arange(len(examples)), at_once)
