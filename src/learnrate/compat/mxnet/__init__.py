"""The modules of MXNet that the first edition of *Dive into Deep Learning* uses, implemented by learnrate.

Import it with ``from learnrate.compat import mxnet as mx``; under ``learnrate run`` also with ``import mxnet``. Names
that learnrate does not have raise `learnrate.errors.MissingNameError`, an AttributeError.
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
"""The version of MXNet whose behaviour learnrate follows."""

init = initializer
ndarray = nd

__getattr__ = missing("mxnet", __all__)
