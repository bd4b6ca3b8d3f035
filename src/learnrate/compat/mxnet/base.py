"""MXNet's error class: here the base class of learnrate's errors."""

from learnrate._missing import missing
from learnrate.errors import LearnrateError

__all__ = ["MXNetError"]

MXNetError = LearnrateError

__getattr__ = missing("base", __all__)
