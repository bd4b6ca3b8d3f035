"""The state of the lanes of one seed: what was measured, and what training continues from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from learnrate._shapes import Array

__all__ = ["LaneStates"]


@dataclass(frozen=True, eq=False)
class LaneStates:
    """Some lanes of one seed, after an epoch or at an evaluation.

    A lane that has diverged holds numbers that are not finite; it never changes another lane.

    Attributes
    ----------
    epoch : int
        Whole epochs trained so far; 0 is the start.
    step : int
        Steps taken since then; 0 where an epoch has just ended.
    arrays : mapping from str to array, first axis K
        What training continues from: parameters, optimizer state, buffers.
    measured : mapping from str to array, shape (K,)
        Measurements at this point: ``"loss"`` and others, by name.
    lanes : array of int, shape (K,), optional
        The numbers of these lanes in their problem; None if they are all of its lanes.
    remarks : tuple of str
        Sentences for the user about how these lanes were trained.
    method : str
        A phrase that says how they were trained, for an engine that has several methods.
    ended : array of str, shape (K,), optional
        Why a lane was ended early; empty where it was not. None if no lane was.
    between : bool
        Whether ``arrays`` are from further on, before the next measurement; ``epoch``, ``step`` and ``measured`` are of
        the last one.
    """

    epoch: int
    arrays: Mapping[str, Array]
    measured: Mapping[str, Array]
    step: int = 0
    lanes: Array | None = None
    remarks: tuple[str, ...] = field(default=())
    method: str = ""
    ended: Array | None = None
    between: bool = False

    @property
    def begun(self) -> bool:
        """Whether any step has been made."""
        return self.epoch > 0 or self.step > 0 or self.between

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in (*self.arrays.values(), *self.measured.values()))

    @property
    def size(self) -> int:
        """Number of lanes, K."""
        return len(next(iter(self.measured.values())))

    def take(self, which: slice | Array) -> LaneStates:
        """The states at some positions along the first axis, without ``lanes``."""
        return LaneStates(
            epoch=self.epoch,
            step=self.step,
            arrays={name: array[which] for name, array in self.arrays.items()},
            measured={name: array[which] for name, array in self.measured.items()},
            remarks=self.remarks,
            method=self.method,
            ended=None if self.ended is None else self.ended[which],
            between=self.between,
        )

    def numbered(self, lanes: Array | None) -> LaneStates:
        """These states with other numbers in ``lanes``."""
        if lanes is self.lanes:
            return self
        return LaneStates(**{**vars(self.take(slice(None))), "lanes": lanes})

    @classmethod
    def join(cls, parts: Iterable[LaneStates]) -> LaneStates:
        """Concatenate the lanes of several states, which must be at the same point of the training."""
        states = list(parts)
        if len(states) == 1:
            return states[0]
        first = states[0]
        return LaneStates(
            epoch=first.epoch,
            step=first.step,
            arrays={
                name: np.concatenate([state.arrays[name] for state in states])
                for name in first.arrays
            },
            measured={
                name: np.concatenate([state.measured[name] for state in states])
                for name in first.measured
            },
            remarks=tuple(dict.fromkeys(r for state in states for r in state.remarks)),
            method=" or ".join(dict.fromkeys(state.method for state in states if state.method)),
            ended=_join([state.ended for state in states], [state.size for state in states]),
            between=first.between,
        )


def _join(ended: Sequence[Array | None], sizes: Sequence[int]) -> Array | None:
    """Concatenate the reasons for which lanes were ended; None if no lane was."""
    if all(part is None for part in ended):
        return None
    parts = zip(ended, sizes, strict=True)
    return np.concatenate([np.full(K, "") if part is None else part for part, K in parts])
