"""The book's package of helpers, ``import d2lzh as d2l``: those that chapters 2, 3, 4 and 7 use.

If the script has a ``d2lzh`` of its own, that is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from learnrate._missing import missing
from learnrate.compat.d2lzh.data import (
    data_iter,
    get_data_ch7,
    get_fashion_mnist_labels,
    load_data_fashion_mnist,
)
from learnrate.compat.d2lzh.drawing import (
    semilogy,
    set_figsize,
    show_fashion_mnist,
    show_trace_2d,
    use_svg_display,
)
from learnrate.compat.d2lzh.models import corr2d, linreg, sgd, squared_loss
from learnrate.compat.d2lzh.training import (
    evaluate_accuracy,
    train_2d,
    train_ch3,
    train_ch7,
    train_gluon_ch7,
    train_sgd,
    try_all_gpus,
    try_gpu,
)

if TYPE_CHECKING:
    from matplotlib import pyplot as plt

__all__ = [
    "corr2d",
    "data_iter",
    "evaluate_accuracy",
    "get_data_ch7",
    "get_fashion_mnist_labels",
    "linreg",
    "load_data_fashion_mnist",
    "plt",
    "semilogy",
    "set_figsize",
    "sgd",
    "show_fashion_mnist",
    "show_trace_2d",
    "squared_loss",
    "train_2d",
    "train_ch3",
    "train_ch7",
    "train_gluon_ch7",
    "train_sgd",
    "try_all_gpus",
    "try_gpu",
    "use_svg_display",
]

_missing = missing("d2lzh", __all__)


def __getattr__(name: str) -> Any:
    """``plt``, imported on first use; MissingNameError for an unknown name."""
    if name == "plt":
        from matplotlib import pyplot

        return pyplot
    return _missing(name)
