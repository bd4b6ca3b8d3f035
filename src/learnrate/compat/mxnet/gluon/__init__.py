"""The parts of Gluon that the book's chapters on regression, softmax and multilayer perceptrons use."""

from learnrate._missing import missing
from learnrate.compat.mxnet.gluon import block, data, loss, nn, parameter, trainer, utils
from learnrate.compat.mxnet.gluon.block import Block, HybridBlock
from learnrate.compat.mxnet.gluon.parameter import Constant, Parameter, ParameterDict
from learnrate.compat.mxnet.gluon.trainer import Trainer

__all__ = [
    "Block",
    "Constant",
    "HybridBlock",
    "Parameter",
    "ParameterDict",
    "Trainer",
    "block",
    "data",
    "loss",
    "nn",
    "parameter",
    "trainer",
    "utils",
]

__getattr__ = missing("gluon", __all__)
