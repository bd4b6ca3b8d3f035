"""All lanes in one vectorised run: the losses of all lanes by ``vmap``, and one backward pass from their sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from learnrate._shapes import Array, Float
from learnrate.torch.alone import AsAlone
from learnrate.torch.batches import flatten
from learnrate.torch.examples import Examples
from learnrate.torch.lanes import Lanes, Task, evaluation_blocks
from learnrate.torch.pieces import Piece, Place
from learnrate.torch.randomness import Stream
from learnrate.torch.states import (
    AHEAD,
    AVERAGES,
    BUFFERS,
    PARAMETERS,
    Rows,
    joined,
    kinds_of,
    taken_apart,
)
from learnrate.torch.trace import Traced
from learnrate.torch.updates import Moves, Updates
from learnrate.torch.views import Views

__all__ = ["StackedLanes", "StackedSteps", "add_gradients"]

_STRUCTURES = 32
"""Steps are recorded for minibatches of at most so many structures; other plain values are another structure."""


class StackedSteps:
    """The gradients and the evaluation of all lanes at once.

    Both take ``θ`` (K, P), the K lanes' buffers and a minibatch. What no lane changes, fixed parameters and other buffers,
    all lanes hold together.

    Parameters
    ----------
    task : Task
    apart : int
        What each lane has copies of; see `AsAlone`.
    """

    def __init__(self, task: Task, *, apart: int = 0) -> None:
        assert task.probe.warmed is not None
        self._task, self.apart = task, apart
        self.whole = task.probe.warmed
        moving, self._overwritten = task.probe.moving, task.probe.overwritten
        self.buffers = tuple(name for name, _ in self.whole.named_buffers() if name in moving)
        self._traced: dict[Any, tuple[Traced, Traced]] = {}
        self._coming = 0

    @contextmanager
    def expecting(self, calls: int) -> Iterator[None]:
        """While so many steps or measurements are known to come, they are recorded at once if it pays."""
        before, self._coming = self._coming, max(calls, self._coming)
        try:
            yield
        finally:
            self._coming = before

    @property
    def recorded(self) -> bool:
        """Whether steps are replayed from a recording."""
        return any(traced.graphs for traced, _ in self._traced.values())

    def gradients(
        self, theta: Tensor, buffers: Sequence[Tensor], batch: Any
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Every lane's loss (K,); its gradient, (K, P_j) for each parameter, empty where there is none; buffers after."""
        tensors, traced = self._of(batch)
        traced[0].coming = self._coming
        found = traced[0](theta, *buffers, *tensors)
        P = len(self._task.layout.names)
        return found[0], list(found[1 : P + 1]), list(found[P + 1 :])

    def measures(self, theta: Tensor, buffers: Sequence[Tensor], batch: Any) -> list[Tensor]:
        """Loss and metrics (K,) of every lane."""
        tensors, traced = self._of(batch)
        traced[1].coming = self._coming
        return list(traced[1](theta, *buffers, *tensors))

    def _of(self, batch: Any) -> tuple[list[Tensor], tuple[Traced, Traced]]:
        """The tensors of a minibatch, and what runs minibatches of its structure."""
        tensors, rebuild = flatten(batch)
        structure = _structure(batch)
        if structure not in self._traced and len(self._traced) == _STRUCTURES:
            structure = None  # such as batches that hold file names
        if structure not in self._traced:
            kept = {
                "device": self._task.device,
                "worthwhile": not self._task.probe.draws_in_python and structure is not None,
            }
            self._traced[structure] = (
                Traced(self._gradients(rebuild), **kept),  # type: ignore[arg-type]
                Traced(self._measures(rebuild), **kept),  # type: ignore[arg-type]
            )
        if structure is None:  # whose objects may differ from batch to batch
            del self._traced[structure]
            plain = {"device": self._task.device, "worthwhile": False}
            return tensors, (
                Traced(self._gradients(rebuild), **plain),  # type: ignore[arg-type]
                Traced(self._measures(rebuild), **plain),  # type: ignore[arg-type]
            )
        return tensors, self._traced[structure]

    def _call(
        self, leaves: Sequence[Tensor], buffers: Sequence[Tensor], batch: Any, measuring: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        # Modules change buffers in place: they get copies, so that a step has no effect but its values.
        state = dict(zip(self._task.layout.names, leaves, strict=True))
        state.update({n: b.clone() for n, b in zip(self.buffers, buffers, strict=True)})
        left = [vars(self.whole.get_submodule(name)) for name, _ in self._overwritten]
        before = [of.get(key) for of, (_, key) in zip(left, self._overwritten, strict=True)]
        try:
            values, after = functional_call(self.whole, state, (batch, measuring))
        finally:  # what it has left are tensors of vmap
            for of, (_, key), value in zip(left, self._overwritten, before, strict=True):
                of[key] = value
        return values, [after[name] for name in self.buffers]

    def _gradients(self, rebuild: Callable[[Sequence[Tensor]], Any]) -> Any:
        B = len(self.buffers)

        def run(theta: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
            leaves = [v.detach().requires_grad_() for v in self._task.layout.split_rows(theta)]
            mode = AsAlone(len(theta), apart=self.apart)

            def loss(leaves: Sequence[Tensor], buffers: Sequence[Tensor]) -> Any:
                batch = rebuild(mode.given(rest[B:]))
                values, after = self._call(leaves, buffers, batch, measuring=False)
                return values[0], after

            with torch.enable_grad(), mode:
                values, after = vmap(loss, in_dims=(0, 0), randomness="same")(
                    leaves, list(rest[:B])
                )
                found: Sequence[Tensor | None] = [None] * len(leaves)
                if values.requires_grad:
                    found = torch.autograd.grad(values.sum(), leaves, allow_unused=True)
            K = len(theta)
            gradients = [theta.new_zeros(K, 0) if g is None else g.reshape(K, -1) for g in found]
            return values.detach(), *gradients, *(b.detach() for b in after)

        return run

    def _measures(self, rebuild: Callable[[Sequence[Tensor]], Any]) -> Any:
        B = len(self.buffers)

        def run(theta: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
            mode = AsAlone(len(theta), apart=self.apart)

            def measure(leaves: Sequence[Tensor], buffers: Sequence[Tensor]) -> Any:
                batch = rebuild(mode.given(rest[B:]))
                return self._call(leaves, buffers, batch, measuring=True)[0]

            leaves = self._task.layout.split_rows(theta)
            with_gradients = self._task.probe.evaluated_with_gradients
            with torch.set_grad_enabled(with_gradients), mode:
                values = vmap(measure, in_dims=(0, 0), randomness="same")(leaves, list(rest[:B]))
            return tuple(value.detach() for value in values)

        return run


def _structure(batch: Any) -> Any:
    """A minibatch's structure as a key; None where it holds objects that are neither tensors nor plain values."""
    if isinstance(batch, Tensor):
        return "tensor"
    if isinstance(batch, list | tuple):
        inside = tuple(_structure(part) for part in batch)
        return None if None in inside else (type(batch), inside)
    if isinstance(batch, Mapping):
        inside = tuple(_structure(part) for part in batch.values())
        return None if None in inside else (type(batch), tuple(batch), inside)
    if is_dataclass(batch):
        inside = _structure([getattr(batch, field.name) for field in fields(batch)])
        return None if inside is None else (type(batch), inside)
    if isinstance(batch, int | float | str | bool):
        return repr(batch)
    return None


def add_gradients(total: list[Tensor], more: Sequence[Tensor]) -> list[Tensor]:
    """Add a gradient to another; a parameter has one where either of them gives it one.

    Each sum takes the place of its first term in the list. It is not made in that term's memory, which two parameters
    may share (the gradients of a and b in ``x + a + b`` are one tensor).
    """
    for i, (a, b) in enumerate(zip(total, more, strict=True)):
        if b.numel():
            total[i] = a + b if a.numel() else b
    return total


class StackedLanes(Lanes):
    """Lanes whose parameters are the rows of one matrix; see this module.

    A single lane is stacked with a copy of itself: other routines multiply one matrix than several, with other
    rounding, and a lane comes out the same however many there are beside it.
    """

    def __init__(
        self,
        task: Task,
        lrs: Float[Array, " K"],
        steps: StackedSteps,
        *,
        scheduled: bool = True,
    ) -> None:
        self._own, self.place = slice(len(lrs)), Place(len(lrs))
        self._coming = self._measured = 0
        lrs = np.resize(lrs, max(2, len(lrs)))
        K = len(lrs)
        self._task = task
        self._steps = steps
        self.theta = task.start_row().repeat(K, 1)
        buffers = dict(task.whole.named_buffers())
        self.buffers = [
            buffers[name].detach().expand(K, *buffers[name].shape).clone() for name in steps.buffers
        ]
        self.updates: Moves
        if task.rules is None:
            self.updates = Views(task, self.theta, lrs, scheduled=scheduled)
        else:
            self.updates = Updates(task, self.theta, lrs)
        self._steps_taken = 0
        self.average = None if task.options.ema is None else self.theta.clone()

    def expect(self, steps: int, measurements: int) -> None:
        """Let the next step and the next measurement be recorded, where so many of them are to come that it pays."""
        self._coming, self._measured = steps, measurements

    def train(self, piece: Piece) -> Iterator[int]:
        """Visit the minibatches that are left of a piece in order; see `Lanes.train`."""
        place, begun = self.place, self.place.of(piece, 0)
        if begun == piece.steps:
            return
        self._steps.whole.train()
        piece.renew()
        groups = self._task.options.groups(
            piece.examples.read(piece.batches, begun * piece.accumulate)
        )
        place.go_on(piece, 0)
        K = len(place.steps)
        total = torch.zeros(K, dtype=torch.float64, device=self.theta.device)
        self._total = total.copy_(torch.from_numpy(place.losses))
        for multiplier in piece.scales[begun:]:
            with torch.no_grad():  # but for the gradient itself
                group, found = next(groups), list[Tensor]()
                for batch in group:
                    losses, gradients, self.buffers = self.gradients(batch)
                    total += losses[self._own]
                    found = add_gradients(found, gradients) if found else gradients
                if len(group) > 1:
                    found = [g / len(group) for g in found]
                self.move(found, multiplier)
                del found, gradients  # the next step needs the room
            place.steps += 1
            yield K
        place.losses[:] = total.cpu().numpy()

    def where(self, piece: Piece) -> dict[str, Array]:
        """Arrays that say how far each lane is in a piece, to be saved between two measurements."""
        self.place.losses[:] = self._total.cpu().numpy()
        return self.place.arrays(piece)

    def move(self, gradients: Sequence[Tensor], multiplier: float) -> None:
        """Make one step of the optimizer, with gradients that are cut where that is asked for."""
        options = self._task.options
        if options.clip_norm is not None:
            # As torch.nn.utils.clip_grad_norm_ does it, for each lane.
            norms = [torch.linalg.vector_norm(g, dim=1) for g in gradients if g.numel()]
            norm = torch.linalg.vector_norm(torch.stack(norms), dim=0)
            share = (options.clip_norm / (norm + 1e-6)).clamp(max=1.0)[:, None]
            gradients = [g * share for g in gradients]
        if options.clip_value is not None:
            gradients = [g.clamp(-options.clip_value, options.clip_value) for g in gradients]
        self.updates.step(self.theta, gradients, multiplier)
        if self.average is not None:
            assert options.ema is not None
            self.average.lerp_(self.theta, 1 - options.ema if self._steps_taken else 1.0)
        self._steps_taken += 1

    def gradients(self, batch: Any) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Losses (K,), gradients (K, P_j) of each parameter and buffers of all lanes; see `StackedSteps.gradients`."""
        if not self._coming:
            return self._steps.gradients(self.theta, self.buffers, batch)
        coming, self._coming = self._coming, 0
        with self._steps.expecting(coming):
            return self._steps.gradients(self.theta, self.buffers, batch)

    def evaluate(
        self, examples: Examples, blocks: Sequence[Tensor] | None = None
    ) -> Float[Array, "M K"]:
        """Each measure over all examples or some, in evaluation mode."""
        task, whole = self._task, self._steps.whole
        whole.eval()
        theta = self.theta if self.average is None else self.average
        examples.renew(task.device, task.seed, Stream.EVALUATION)
        total = torch.zeros(len(whole.measures), len(self.theta), dtype=torch.float64)
        with torch.no_grad():
            if blocks is None:
                blocks = evaluation_blocks(examples, task.evaluated_at_once)
            for block, batch in zip(blocks, examples.read(blocks), strict=True):
                coming, self._measured = self._measured, 0
                with self._steps.expecting(coming):
                    values = self._steps.measures(theta, self.buffers, batch)
                total += len(block) * torch.stack(values).to("cpu", torch.float64)
        return (total / sum(map(len, blocks))).numpy()[:, self._own]

    def rows(self, which: slice | None = None) -> Iterator[tuple[str, Rows]]:
        """What training continues from, of all lanes or of some."""
        which = self._own if which is None else which
        layout = self._task.layout
        yield from taken_apart(layout, PARAMETERS, self.theta[which])
        if self.average is not None:
            yield from taken_apart(layout, AVERAGES, self.average[which])
        yield from self.updates.rows(which)
        for name, buffer in zip(self._steps.buffers, self.buffers, strict=True):
            yield f"{BUFFERS} {name}", buffer[which]

    def load(self, arrays: Mapping[str, Array], steps: int, ended: Sequence[str]) -> None:
        """Go to where lanes were; all go to where a single one was."""
        layout, kinds = self._task.layout, kinds_of(arrays)
        if AHEAD in kinds:
            self.place.load(kinds[AHEAD])
            steps += int(self.place.steps[0])
        self.theta.copy_(joined(layout, kinds[PARAMETERS], self.theta))
        self._steps_taken = steps
        if self.average is not None:
            self.average.copy_(joined(layout, kinds[AVERAGES], self.average))
        self.updates.load(kinds, steps)
        for name, rows in zip(self._steps.buffers, self.buffers, strict=True):
            rows.copy_(torch.from_numpy(kinds[BUFFERS][name].copy()))

    def unmoved(self) -> set[str]:
        """Names of the trained parameters that no minibatch gave a gradient."""
        return self.updates.unmoved()
