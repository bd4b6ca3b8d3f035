"""A matplotlib backend for machines without a display: ``plt.show()`` saves PNG files and prints their names.

matplotlib loads this module by the name ``module://learnrate.compat.matplotlib_backend``.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from learnrate._files import write_atomically
from learnrate._translation import as_language, translator
from learnrate.compat.inline import next_picture

__all__ = ["FigureCanvas", "show"]

_DPI = 200


def show(*args: Any, **kwargs: Any) -> None:
    """Save every open figure and close it."""
    for manager in Gcf.get_all_fig_managers():
        path = next_picture()
        if path is not None:
            write_atomically(
                path, partial(manager.canvas.figure.savefig, dpi=_DPI, bbox_inches="tight")
            )
            # Not on standard output, which belongs to the script.
            print(translator(as_language())(f"Saved {path}"), file=sys.stderr)
        Gcf.destroy(manager)
