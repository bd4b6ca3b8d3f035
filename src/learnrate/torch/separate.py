"""Lanes one at a time, each the user's own training: a copy of the real module, and a real `torch.optim.Optimizer`.

Some models and losses raise an error on numbers that are not finite (`torch.distributions` does). Where
that is a lane's own fault, for the parameters at the start raise none on the same minibatch, the lane has
diverged: it ends there, and the others go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.errors import LearnrateError
from learnrate.torch.batches import copied as copied_batch
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples
from learnrate.torch.lane import Lane
from learnrate.torch.lanes import Lanes, Task, evaluation_blocks
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.optimizers import load_state, stacked_states, state_of
from learnrate.torch.pieces import Piece, Place
from learnrate.torch.randomness import Stream, remembered
from learnrate.torch.states import (
    AHEAD,
    AVERAGES,
    BUFFERS,
    FIXED,
    PARAMETERS,
    STEPS,
    Rows,
    kinds_of,
)

__all__ = ["REMEMBERED", "SeparateLanes"]

REMEMBERED = 6
"""Losses of so many first steps are kept by each lane."""


class SeparateLanes(Lanes):
    """Lanes trained one after the other, epoch by epoch; see this module.

    Parameters
    ----------
    task, lrs
        What is trained, and the learning rates.
    scheduled : bool
        Whether the scheduler is stepped.
    share : bool
        Whether lanes hold together, in one copy, what no lane changes; see `Task.fixed`.
    """

    def __init__(
        self,
        task: Task,
        lrs: Float[Array, " K"],
        *,
        scheduled: bool = True,
        share: bool = False,
    ) -> None:
        self._task, self.shared = task, share and bool(task.fixed)
        self.lanes = [Lane(task, float(lr), scheduled=scheduled, share=share) for lr in lrs]
        self.place = Place(len(lrs))
        self._draws: list[Callable[[], object]] | None = None

    def train(self, piece: Piece) -> Iterator[int]:
        """Visit the minibatches that are left of a piece in order; see `Lanes.train`."""
        if all(self.place.of(piece, k) == piece.steps for k in range(len(self.lanes))):
            return
        for lane in self.lanes:
            lane.mode(True)
        yield from self._in_turn(piece) if piece.examples.in_turn else self._one_by_one(piece)

    def _one_by_one(self, piece: Piece) -> Iterator[int]:
        """The whole piece with one lane after the other."""
        self._draws = None
        for k in range(len(self.lanes)):
            begun = self.place.of(piece, k)
            if begun < piece.steps and not self._has_ended(k):
                visits = self._visits(piece, begun)
                self.place.go_on(piece, k)
                for number, group, scale in visits:
                    self._advance(k, group, scale, number)
                    if self._has_ended(k):
                        break
                    yield 1
            if self._has_ended(k):
                self.place.steps[k], self.place.losses[k] = piece.end, np.nan

    def _has_ended(self, k: int) -> bool:
        return self.lanes[k].ended is not None

    def _in_turn(self, piece: Piece) -> Iterator[int]:
        """Every step with all lanes, each with draws of its own."""
        device, K = self._task.device, len(self.lanes)
        visits, self._draws = self._visits(piece, self.place.of(piece, 0)), []
        begin = remembered(device)
        for k in range(K):
            begin()
            self.place.go_on(piece, k)
            self._draws.append(remembered(device))
        for number, group, scale in visits:
            for k in range(K):
                self._draws[k]()
                self._advance(k, copied_batch(group), scale, number)
                self._draws[k] = remembered(device)
            yield K

    def _visits(self, piece: Piece, begun: int) -> Iterator[tuple[int, list[Any], float]]:
        """The steps of a piece that are left: their number where it counts among the first, minibatches, ``s_t``."""
        piece.renew()
        read = piece.examples.read(piece.batches, begun * piece.accumulate)
        first = piece.step + begun if piece.epoch == 0 else REMEMBERED
        return zip(
            itertools.count(first),
            self._task.options.groups(read),
            piece.scales[begun:],
            strict=False,
        )

    def where(self, piece: Piece) -> dict[str, Array]:
        """Arrays that say how far each lane is in a piece, to be saved between two measurements."""
        draws = self._draws
        return self.place.arrays(piece, None if draws is None else lambda k: draws[k]())

    def _advance(self, k: int, group: list[Any], scale: float, number: int) -> None:
        """Make the step of lane ``k``, unless it has ended. ``number`` counts the first steps, from 0."""
        lane, place = self.lanes[k], self.place
        try:
            with torch.enable_grad():
                loss = lane.advance(group, scale) if lane.ended is None else float("nan")
        except Exception as error:
            if not self._is_its_own(error, Lane.backward, group[0]):
                raise
            lane.end(error)
            loss = float("nan")
        if number == len(lane.first) < REMEMBERED:
            lane.first.append(loss)
        place.losses[k] += len(group) * loss
        place.steps[k] += 1

    def evaluate(
        self, examples: Examples, blocks: Sequence[Tensor] | None = None
    ) -> Float[Array, "M K"]:
        """Each measure over all examples or some, in evaluation mode."""
        task = self._task
        total = torch.zeros(len(task.whole.measures), len(self.lanes), dtype=torch.float64)
        if blocks is None:
            blocks = evaluation_blocks(examples, task.evaluated_at_once)
        for k, lane in enumerate(self.lanes):
            lane.mode(False)
            whole = lane.whole
            with lane.averaged():
                if task.probe.keeps_state or task.probe.rewritten:  # which an evaluation may change
                    lane.whole = copy_of(whole)
                lane.whole.eval()
                examples.renew(task.device, task.seed, Stream.EVALUATION)
                total[:, k] = self._total(lane, examples, blocks)
            lane.whole = whole
        return (total / sum(map(len, blocks))).numpy()

    def _total(self, lane: Lane, examples: Examples, blocks: Sequence[Tensor]) -> Tensor:
        """Each measure of a lane, added up over the examples of all blocks; (M,)."""
        total = torch.zeros(len(self._task.whole.measures), dtype=torch.float64)
        for block, batch in zip(blocks, examples.read(blocks), strict=True):
            if lane.ended is not None:
                return total + torch.nan
            try:
                total += len(block) * lane.measure(batch)
            except Exception as error:
                if not self._is_its_own(error, Lane.measure, batch):
                    raise
                lane.end(error)
                return total + torch.nan
        return total

    @property
    def ended(self) -> list[str]:
        """What ended each lane before its time; empty where nothing did."""
        return [lane.ended or "" for lane in self.lanes]

    def _is_its_own(self, error: Exception, do: Callable[[Lane, Any], object], batch: Any) -> bool:
        """Whether an error comes from a lane's numbers: a lane with the parameters at the start can do this."""
        if isinstance(error, LearnrateError) or is_out_of_memory(error):
            return False
        lane = Lane(self._task, 1.0)
        lane.whole.train(do is Lane.backward)
        try:
            with torch.enable_grad():
                do(lane, batch)
        except Exception as again:
            if is_out_of_memory(again):
                raise
            return False
        return True

    def rows(self) -> Iterator[tuple[str, Rows]]:
        """What training continues from."""
        for name, at_start in self._task.whole.named_parameters():
            rows = [lane.whole.get_parameter(name).detach() for lane in self.lanes]
            if at_start.requires_grad:
                yield f"{PARAMETERS} {name}", rows
            elif not self.shared and not all(torch.equal(row, at_start) for row in rows):
                yield f"{FIXED} {name}", rows
        for name in self.lanes[0].averages:
            yield f"{AVERAGES} {name}", [lane.averages[name] for lane in self.lanes]
        starts = dict(self._task.whole.named_buffers())
        buffers = [dict(lane.whole.named_buffers()) for lane in self.lanes]
        for name in buffers[0]:
            rows, moving = [of[name] for of in buffers], name in self._task.probe.moving
            if moving or not (self.shared or all(torch.equal(r, starts[name]) for r in rows)):
                yield f"{BUFFERS} {name}", rows
        yield from stacked_states(
            [
                {**lane.scales(), **state_of(lane.optimizer, lane.parameters, lane.without)}
                for lane in self.lanes
            ]
        )

    def load(self, arrays: Mapping[str, Array], steps: int, ended: Sequence[str]) -> None:
        """Go to where lanes were; see `Lanes.load`."""
        kinds = kinds_of(arrays)
        if AHEAD in kinds:
            self.place.load(kinds[AHEAD])
        tensors = {**kinds[PARAMETERS], **kinds.get(FIXED, {}), **kinds.get(BUFFERS, {})}
        for k, lane in enumerate(self.lanes):
            if AHEAD in kinds:  # saved in the midst of training
                lane.mode(True)
            own = {**dict(lane.whole.named_parameters()), **dict(lane.whole.named_buffers())}
            for name, rows in tensors.items():
                own[name].data = torch.from_numpy(np.array(rows[k])).to(own[name].device)
            of_lane = {kind: {n: a[k] for n, a in named.items()} for kind, named in kinds.items()}
            load_state(lane.optimizer, lane.parameters, of_lane)
            lane.go_to(of_lane, steps + int(self.place.steps[k]))
            lane.without = {name for name, taken in of_lane[STEPS].items() if not taken}
            lane.ended = ended[k] or None

    def has_moved(self, name: str) -> bool:
        """Whether any lane's parameter of that name has changed."""
        start = self._task.whole.get_parameter(name)
        return not all(torch.equal(lane.whole.get_parameter(name), start) for lane in self.lanes)

    def unmoved(self) -> set[str]:
        """Names of the trained parameters that no minibatch gave a gradient."""
        return set.intersection(*(lane.without for lane in self.lanes))
