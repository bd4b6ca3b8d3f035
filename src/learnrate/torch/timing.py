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

__all__ = ["stacked_is_slower"]

_SMALL = 1 << 20
"""Bytes of parameters and activations up to which stacking is quicker, without measuring."""
_FEW = 40
"""Up to so many steps measuring takes longer than it can save."""
_ROUNDS = 2


def stacked_is_slower(
    task: Task, steps: StackedSteps, examples: Examples, indices: torch.Tensor, K: int, total: int
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
    total : int
        Steps that each will make.
    """
    weight = task.layout.size * task.dtype.itemsize + task.probe.activations
    if weight <= _SMALL:
        return False
    if total <= _FEW:
        return task.device.type == "cpu"
    batch = examples.batch(indices)
    lane = Lane(task, 1e-9, scheduled=False)
    lane.mode(True)
    lanes = StackedLanes(task, np.full(K, 1e-9), steps, scheduled=False)
    steps.whole.train()

    def stacked() -> None:
        with torch.no_grad():
            _, gradients, lanes.buffers = lanes.gradients(copied(batch))
            lanes.move(gradients, 1.0)

    examples.renew(task.device, task.seed, Stream.TRAINING)
    alone = _seconds(lambda: lane.advance([copied(batch)], 1.0), task.device)
    try:
        return _seconds(stacked, task.device) > K * alone
    except RuntimeError as error:
        if is_out_of_memory(error):
            return True
        raise


def _seconds(run: Callable[[], Any], device: torch.device) -> float:
    """The least time that a call takes, the first one aside where it is not the only one."""
    least = np.inf
    for _ in range(_ROUNDS):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        began = time.perf_counter()
        with torch.enable_grad():
            run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        least = min(least, time.perf_counter() - began)
    return float(least)
