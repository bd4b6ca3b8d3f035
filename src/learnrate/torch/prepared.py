"""What is known of a seed before it is trained, and how many of its lanes fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from learnrate._memory import free_memory as memory_of_machine
from learnrate._shapes import Array, Float
from learnrate.torch.check import Check
from learnrate.torch.course import Course
from learnrate.torch.lanes import Lanes, Task, evaluation_blocks
from learnrate.torch.memory import Meter, free_memory, is_out_of_memory
from learnrate.torch.problem import Training
from learnrate.torch.separate import SeparateLanes
from learnrate.torch.stacked import StackedLanes, StackedSteps
from learnrate.torch.states import BUFFERS, FIXED, kinds_of

__all__ = ["ALONE", "STACKED", "Need", "Prepared", "bytes_of_lanes", "lanes_at_once"]

STACKED, ALONE = "lanes stacked by vmap", "one lane at a time"
_SHARE = 0.5
"""The share of the free memory that lanes may take; the rest is left for other programs."""
_IN_MEMORY = 1 / 8
"""Up to this share of the free memory the states of all lanes are held in memory; beyond it, in a temporary file."""


class Need(NamedTuple):
    """Bytes: of what does not depend on the number of lanes, and of each lane."""

    fixed: int
    each: int


@dataclass
class Prepared:
    """What is known of a seed before it is trained.

    Attributes
    ----------
    task : Task
        What its lanes have in common.
    course : Course
        The minibatches that they visit.
    check : Check
        Of its lanes against the real training.
    steps : StackedSteps or None
        How stacked lanes make their steps; None where they are trained one at a time.
    on_disk : bool
        Whether states are held in a temporary file.
    sharpness : float or None
        Of the start, where it is asked for.
    remarks : tuple of str
        What there is to say of it.
    at_once : int or None
        Lanes that fitted, once memory ran out with more.
    still : set of str
        Parameters that were given no gradient in any lane that has come to its end.
    alone : str
        How lanes are trained that are not stacked.
    share : bool
        Whether these may hold together what none of them changes.
    needs : dict
        The memory of lanes, stacked or not, once it has been measured.
    """

    task: Task
    course: Course
    check: Check
    steps: StackedSteps | None
    on_disk: bool = False
    sharpness: Float[Array, " one"] | None = None
    remarks: tuple[str, ...] = ()
    at_once: int | None = None
    still: set[str] | None = None
    alone: str = ALONE
    share: bool = True
    needs: dict[bool, Need] = field(default_factory=dict)

    def may_share(self, start: Mapping[str, Array] | None) -> bool:
        """Whether lanes that are trained one at a time, from some arrays, may hold together what none of them changes."""
        probe, kinds = self.task.probe, kinds_of(start or {})
        changed = FIXED in kinds or not probe.moving.issuperset(kinds.get(BUFFERS, ()))
        return self.share and not (changed or probe.rewritten or probe.keeps_state)


def states_on_disk(task: Task, lanes: int) -> bool:
    """Whether the states of so many lanes are too much to be held in memory."""
    return lanes * _state_bytes(task) > _IN_MEMORY * memory_of_machine()


def lanes_at_once(prepared: Prepared, training: Training, lanes: int) -> int:
    """How many of some lanes to train together, at least 1.

    ``"auto"`` takes as many as fit into half of the free memory. What a lane takes is measured, unless all of them would fit
    if each took several times what it can be expected to.
    """
    wanted, task = training.config.lanes_at_once, prepared.task
    if prepared.at_once is not None or isinstance(wanted, int):
        return min(lanes, prepared.at_once or int(wanted))
    room = _SHARE * free_memory(task.device)
    if lanes * _at_most(task) <= room:
        return lanes
    stacked = prepared.steps is not None
    if stacked not in prepared.needs:
        try:
            prepared.needs[stacked] = bytes_of_lanes(prepared, training)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return 1
    need = prepared.needs[stacked]
    return int(np.clip((room - need.fixed) // max(need.each, 1), 1, lanes))


def _state_bytes(task: Task) -> int:
    """About how many bytes the state of one lane has: parameters, optimizer state, averages and buffers."""
    arrays = 1 + task.slots + (task.options.ema is not None)
    buffers = sum(b.nbytes for n, b in task.whole.named_buffers() if n in task.probe.moving)
    return task.layout.size * task.dtype.itemsize * arrays + buffers


def _at_most(task: Task) -> int:
    """More bytes than one lane is ever expected to take."""
    examples = max(1.0, task.evaluated_at_once / task.batch_size)
    parameters = task.layout.size * task.dtype.itemsize
    return 4 * _state_bytes(task) + 8 * parameters + int(6 * examples * task.probe.activations)


def bytes_of_lanes(prepared: Prepared, training: Training) -> Need:
    """The memory that lanes take while they are trained, as they are, and measured: that of two numbers of lanes.

    Both make two steps with the first minibatches and measure a block of examples. Added is what is held of their states: one
    state while they go on, two when it is taken.
    """
    task, steps = prepared.task, prepared.steps
    alone = prepared.may_share(None)

    def lanes_of(K: int) -> Lanes:
        lrs = np.full(K, 1e-9)
        if steps is None:
            return SeparateLanes(task, lrs, scheduled=False, share=alone)
        return StackedLanes(task, lrs, StackedSteps(task), scheduled=False)

    few, many = (1, 2) if steps is None else (2, 3)
    (peak, held, state), (more, more_held, _) = (
        _used(lanes_of, K, training, prepared) for K in (few, many)
    )
    in_memory = task.device.type == "cpu" and not prepared.on_disk
    kept = state // few if in_memory else 0
    each = max(more - peak + kept, more_held - held + 2 * kept)
    return Need(max(0, peak - few * (more - peak)), each)


def _used(
    lanes_of: Callable[[int], Lanes], K: int, training: Training, prepared: Prepared
) -> tuple[int, int, int]:
    """The most bytes that K lanes hold, what they hold between steps, and the bytes of their state."""
    task, measured = prepared.task, training.measured
    first = next(prepared.course.pieces(0, min(2, training.steps)))
    with Meter() as meter:
        lanes = lanes_of(K)
        for _ in lanes.train(first):
            pass
        held = meter.now
        if measured is not None:
            lanes.evaluate(measured, evaluation_blocks(measured, task.evaluated_at_once)[:1])
    return meter.peak, held, sum(row.nbytes for _, rows in lanes.rows() for row in rows)
