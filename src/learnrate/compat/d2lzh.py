"""The book's helpers, ``import d2lzh as d2l``, as far as the note's chapter and its neighbours need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.inline import set_inline
from learnrate.nd import NDArray
from learnrate.scratch import data_iter as _data_iter
from learnrate.scratch import linreg, sgd, squared_loss

if TYPE_CHECKING:
    from matplotlib import pyplot as plt

__all__ = [
    "data_iter",
    "linreg",
    "plt",
    "semilogy",
    "set_figsize",
    "sgd",
    "squared_loss",
    "use_svg_display",
]


def data_iter(
    batch_size: int, features: NDArray, labels: NDArray
) -> Iterator[tuple[NDArray, NDArray]]:
    """Visit the examples in a random order that follows ``mx.random.seed``, ``|B|`` at a time."""
    order = nd.random.shuffle(nd.array(range(len(features)), dtype="int64")).asnumpy()
    return _data_iter(batch_size, features, labels, order=order)


def use_svg_display() -> None:
    """Show figures where they are made, as a notebook does."""
    set_inline()


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size of the figures that follow, in inches."""
    from matplotlib import pyplot

    use_svg_display()
    pyplot.rcParams["figure.figsize"] = figsize


def semilogy(
    x_vals: Any,
    y_vals: Any,
    x_label: str,
    y_label: str,
    x2_vals: Any = None,
    y2_vals: Any = None,
    legend: Any = None,
    figsize: tuple[float, float] = (3.5, 2.5),
) -> None:
    """Draw one curve, or two, with a logarithmic y axis, and show it."""
    from matplotlib import pyplot

    set_figsize(figsize)
    pyplot.figure()
    pyplot.xlabel(x_label)
    pyplot.ylabel(y_label)
    pyplot.semilogy(x_vals, y_vals)
    if x2_vals is not None and y2_vals is not None:
        pyplot.semilogy(x2_vals, y2_vals, linestyle=":")
    if legend:
        pyplot.legend(legend)
    pyplot.show()


_missing = missing("d2lzh", __all__)


def __getattr__(name: str) -> Any:
    """``plt``, loaded when it is used; what is not here is named."""
    if name == "plt":
        from matplotlib import pyplot

        return pyplot
    return _missing(name)
