"""How much memory is free, and what an out-of-memory error looks like."""

from __future__ import annotations

import torch

from learnrate._memory import free_memory as memory_of_machine

__all__ = ["free_memory", "is_out_of_memory"]


def free_memory(device: torch.device) -> int:
    """Bytes free on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory_of_machine()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "not enough memory" in text or "can't allocate memory" in text
    )
