"""MXNet's modules as the first edition of *Dive into Deep Learning* uses them, by learnrate.

``from learnrate.compat import mxnet as mx`` in Python; under ``learnrate run`` also ``import mxnet``.
What is not here raises `learnrate.errors.MissingNameError`, an AttributeError that names it.
"""

from learnrate import autograd, nd
from learnrate._missing import missing
from learnrate.compat.mxnet import base, context, gluon, initializer, optimizer
from learnrate.compat.mxnet.base import MXNetError
from learnrate.compat.mxnet.context import Context, cpu, current_context, gpu, num_gpus
from learnrate.nd import random

__all__ = [
    "Context",
    "MXNetError",
    "autograd",
    "base",
    "context",
    "cpu",
    "current_context",
    "gluon",
    "gpu",
    "init",
    "initializer",
    "nd",
    "ndarray",
    "num_gpus",
    "optimizer",
    "random",
]

__version__ = "1.9.1"
"""The MXNet that learnrate does as."""

init = initializer
ndarray = nd

__getattr__ = missing("mxnet", __all__)
