"""Automatic differentiation: what `record`, `attach_grad` and `backward` do, for any kind of array.

Inside a `record` scope, every operation on an array with `attach_grad`, or on a result of one, makes a `Node`: the
operator, its input values and its output. `backward` goes through these nodes from the last to the first and applies
the chain rule. This package works on nodes and functions; `learnrate.nd` has the arrays.
"""

from learnrate._missing import missing
from learnrate.autograd.backward import (
    backward,
    grad,
    mark_variables,
    watch,
    watch_backward,
)
from learnrate.autograd.node import Leaf, Node, Operator, graph
from learnrate.autograd.scopes import (
    is_recording,
    is_training,
    pause,
    predict_mode,
    record,
    set_recording,
    set_training,
    train_mode,
)

__all__ = [
    "Leaf",
    "Node",
    "Operator",
    "backward",
    "grad",
    "graph",
    "is_recording",
    "is_training",
    "mark_variables",
    "pause",
    "predict_mode",
    "record",
    "set_recording",
    "set_training",
    "train_mode",
    "watch",
    "watch_backward",
]

__getattr__ = missing("autograd", __all__)
