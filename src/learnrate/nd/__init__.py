"""Arrays that record, as MXNet's ``nd`` has them: float32 on the CPU, no 0-d results, explicit dtypes."""

from learnrate.nd import random
from learnrate.nd.creation import arange, array, ones, zeros
from learnrate.nd.functions import dot
from learnrate.nd.ndarray import NDArray

__all__ = ["NDArray", "arange", "array", "dot", "ones", "random", "zeros"]
