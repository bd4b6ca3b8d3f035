"""The minibatches of a seed from one measurement to the next, in pieces of one epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from learnrate.torch.lanes import Task
from learnrate.torch.pieces import Piece
from learnrate.torch.problem import Training

__all__ = ["Course"]

_AT_THE_END = 2
"""Number of minibatches at the end that the checks visit again."""


class Course:
    """What all lanes of a seed visit.

    Parameters
    ----------
    training, task
        What all lanes, and those of the seed, have in common.
    """

    def __init__(self, training: Training, task: Task) -> None:
        self._training, self._task = training, task
        self._epoch: tuple[int, tuple[Tensor, ...]] | None = None

    def batches(self, epoch: int) -> tuple[Tensor, ...]:
        """The minibatches of an epoch; those of the last one asked for are kept."""
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = epoch, self._training.order.epoch(self._task.seed, epoch)
        return self._epoch[1]

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """Yield the pieces from step ``begin`` to step ``end``, two measurements; a piece lies in one epoch."""
        training, at, each = self._training, begin, self._task.options.accumulate
        while at < end:
            epoch, step = divmod(at, training.steps)
            until = min(end, (epoch + 1) * training.steps)
            yield Piece(
                examples=training.examples,
                device=self._task.device,
                seed=self._task.seed,
                epoch=epoch,
                step=step,
                batches=self.batches(epoch)[step * each : (step + until - at) * each],
                scales=training.scales(self._task.multipliers, at, until),
                accumulate=each,
                ahead=at - begin,
            )
            at = until

    def visited(self, begin: int, end: int) -> int:
        """How many minibatches a lane visits from a step to another; the last step of an epoch may have fewer."""

        def before(steps: int) -> int:
            epochs, rest = divmod(steps, self._training.steps)
            return epochs * self._training.order.steps + rest * self._task.options.accumulate

        return before(end) - before(begin)

    def last(self, end: int) -> Sequence[Tensor]:
        """The last minibatches before a step, of the same epoch."""
        epoch, step = divmod(end - 1, self._training.steps)
        return self.batches(epoch)[: (step + 1) * self._task.options.accumulate][-_AT_THE_END:]
