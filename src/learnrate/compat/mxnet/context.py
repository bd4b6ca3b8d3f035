"""Devices: the CPU alone."""

from learnrate._missing import missing
from learnrate.nd.context import Context, cpu, current_context, gpu

__all__ = ["Context", "cpu", "current_context", "gpu", "num_gpus"]


def num_gpus() -> int:
    """Number of GPUs: 0, since learnrate's arrays are on the CPU."""
    return 0


__getattr__ = missing("context", __all__)
