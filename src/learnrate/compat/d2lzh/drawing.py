"""The plots of the book. matplotlib is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from learnrate.compat.inline import set_inline
from learnrate.errors import DataError

__all__ = ["semilogy", "set_figsize", "show_fashion_mnist", "show_trace_2d", "use_svg_display"]


def use_svg_display() -> None:
    """Show figures that are still open at the end of the run, as a notebook would."""
    set_inline()


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size of later figures, in inches, and start a new figure, as each cell of a notebook does."""
    from matplotlib import pyplot

    use_svg_display()
    pyplot.rcParams["figure.figsize"] = figsize
    if pyplot.get_fignums():
        pyplot.figure()


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
    """Plot one or two curves with a logarithmic y axis, and show the figure."""
    from matplotlib import pyplot

    set_figsize(figsize)
    pyplot.xlabel(x_label)
    pyplot.ylabel(y_label)
    pyplot.semilogy(x_vals, y_vals)
    if x2_vals is not None and y2_vals is not None:
        pyplot.semilogy(x2_vals, y2_vals, linestyle=":")
    if legend:
        pyplot.legend(legend)
    pyplot.show()


def show_fashion_mnist(images: Any, labels: Sequence[str]) -> None:
    """Plot images of 28 by 28 pixels in a row, with their labels.

    Raises
    ------
    DataError
        If images have another size, or there are not as many labels as images.
    """
    from matplotlib import pyplot

    pictures = [np.asarray(picture) for picture in images]
    if not pictures or len(pictures) != len(labels) or {p.size for p in pictures} != {28 * 28}:
        shapes = ", ".join(sorted({str(picture.shape) for picture in pictures})) or "none"
        raise DataError(
            "show_fashion_mnist must be given pictures of 28 by 28, and a label for each. "
            f"Got {len(pictures)} pictures of shape {shapes} and {len(labels)} labels instead."
        )
    use_svg_display()
    _, row = pyplot.subplots(1, len(pictures), figsize=(12, 12), squeeze=False)
    for axes, picture, label in zip(row[0], pictures, labels, strict=True):
        axes.imshow(picture.reshape(28, 28))
        axes.set_title(label)
        axes.set_axis_off()
    pyplot.show()


def show_trace_2d(f: Callable[[Any, Any], Any], results: Sequence[tuple[float, float]]) -> None:
    """Plot the path of an optimiser, ``(x1, x2)`` after each step, over the contours of ``f(x1, x2)``."""
    from matplotlib import pyplot

    set_figsize()
    x1, x2 = np.meshgrid(np.arange(-5.5, 1.0, 0.1), np.arange(-3.0, 1.0, 0.1))
    axes = pyplot.gca()
    axes.contour(x1, x2, f(x1, x2), colors="#1f77b4")
    path = np.asarray(results, float)
    axes.plot(path[:, 0], path[:, 1], "-o", color="#ff7f0e")
    axes.set(xlabel="x1", ylabel="x2")
