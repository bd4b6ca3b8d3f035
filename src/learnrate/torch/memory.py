"""How many lanes fit, and what an out-of-memory error looks like."""

from __future__ import annotations

import torch

from learnrate._memory import free_memory as memory_of_machine

__all__ = ["free_memory", "is_out_of_memory", "lanes_that_fit"]

_SHARE = 0.5
"""Of the free memory; the rest is left for what the estimate cannot see."""


def free_memory(device: torch.device) -> int:
    """Bytes free on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory_of_machine()


def lanes_that_fit(
    *, parameters: int, activations: int, memory: int, itemsize: int, free: int
) -> int:
    """Lanes to train at once, at least 1.

    A lane needs its parameters, gradient, a temporary of the update, its optimizer state (``memory`` times the
    parameters), and thrice what a backward pass saves.

    Parameters
    ----------
    parameters : int
        Trained numbers in one lane.
    activations : int
        Bytes that one lane's backward pass saves.
    memory : int
        Arrays in the optimizer state, each of the size of the parameters.
    itemsize : int
        Bytes of a number.
    free : int
        Bytes free.
    """
    each = parameters * itemsize * (4 + memory) + 3 * activations
    return int(max(1, _SHARE * free // max(each, 1)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "not enough memory" in text or "can't allocate memory" in text
    )
