"""Where arrays live: the CPU."""

from learnrate._missing import missing
from learnrate.nd.context import Context, cpu, current_context, gpu

__all__ = ["Context", "cpu", "current_context", "gpu", "num_gpus"]


def num_gpus() -> int:
    """Number of GPUs that arrays can be put on: none."""
    return 0


__getattr__ = missing("context", __all__)
