"""Recording and differentiating: what `record`, `attach_grad` and `backward` do, for any kind of array.

While a `record` scope is open, every operation on an array that a gradient was asked for leaves a
`Node`: the operator, the values that went in, the value that came out. `backward` walks these nodes from
the last to the first and multiplies derivatives, the chain rule in reverse. This package knows nodes
and callables only; `learnrate.nd` has the arrays.
"""

from learnrate._missing import missing
from learnrate.autograd.backward import backward, grad, mark_variables, watch
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
]

__getattr__ = missing("autograd", __all__)
