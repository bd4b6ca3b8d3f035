"""Which way is quicker, measured: small models stacked, where Python is most of a step; large ones one lane at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from learnrate.torch.batches import copied
from learnrate.torch.examples import Examples
from learnrate.torch.lane import Lane
from learnrate.torch.lanes import Task
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import Stream
from learnrate.torch.stacked import StackedLanes, StackedSteps

__all__ = ["is_small", "is_too_short", "stacked_is_slower"]

_SMALL = 1 << 20
"""Bytes of parameters and activations up to which stacking is quicker, without measuring."""
_FEW = 80
"""Up to so many steps measuring takes longer than it can save."""
_WORTH = 0.9
"""The share of the time of lanes one at a time that stacked ones must keep below, for they are measured slower too."""
_ROUNDS, _CLEAR = 2, 1.5
"""Both ways are timed ``_ROUNDS`` times, unless one is ``_CLEAR`` times as fast in the first round."""
_TIMED = 4
"""At most so many lanes are stacked to be timed: with models of this size the time grows in proportion to the lanes."""


def is_small(task: Task) -> bool:
    """Whether stacking is quicker, without measuring."""
    return task.layout.size * task.dtype.itemsize + task.probe.activations <= _SMALL


def is_too_short(task: Task, total: int) -> bool:
    """Whether lanes are not to be stacked, without measuring: they make ``total`` steps, which each take long."""
    return total <= _FEW and task.device.type == "cpu" and not is_small(task)


def stacked_is_slower(
    task: Task, steps: StackedSteps, examples: Examples, indices: torch.Tensor, K: int
) -> bool:
    """Whether K lanes one at a time are quicker than stacked.

    Parameters
    ----------
    task, steps
        What is trained, and how stacked.
    examples, indices
        A minibatch.
    K : int
        Lanes.
    """
    if is_small(task):
        return False
    K, batch = min(K, _TIMED), examples.batch(indices)
    lane = Lane(task, 1e-9, scheduled=False)
    lane.mode(True)
    lanes = StackedLanes(task, np.full(K, 1e-9), steps, scheduled=False)
    steps.whole.train()

    def stacked() -> None:
        with torch.no_grad():
            _, gradients, lanes.buffers = lanes.gradients(copied(batch))
            lanes.move(gradients, 1.0)

    examples.renew(task.device, task.seed, Stream.TRAINING)
    alone = together = np.inf
    try:
        for _ in range(_ROUNDS):
            alone = min(
                alone, K * _seconds(lambda: lane.advance([copied(batch)], 1.0), task.device)
            )
            together = min(together, _seconds(stacked, task.device))
            if not 1 / _CLEAR < together / alone < _CLEAR:
                break
    except RuntimeError as error:
        if is_out_of_memory(error):
            return True
        raise
    return together > _WORTH * alone


def _seconds(run: Callable[[], Any], device: torch.device) -> float:
    """The time that a call takes: the processor's where one thread computes, for others may disturb it."""
    on_gpu = device.type == "cuda"
    clock = time.perf_counter if on_gpu or torch.get_num_threads() > 1 else time.process_time
    if on_gpu:
        torch.cuda.synchronize(device)
    began = clock()
    with torch.enable_grad():
        run()
    if on_gpu:
        torch.cuda.synchronize(device)
    return clock() - began
