"""A matplotlib backend for machines without a screen: ``plt.show()`` saves PNGs and says so.

matplotlib loads this module by the name ``module://learnrate.compat.matplotlib_backend``.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from learnrate._files import write_atomically
from learnrate.compat.inline import next_picture

__all__ = ["FigureCanvas", "show"]

_DPI = 200


def show(*args: Any, **kwargs: Any) -> None:
    """Save every open figure and close it, as when a person has looked at the windows and closed them."""
    for manager in Gcf.get_all_fig_managers():
        path = next_picture()
        write_atomically(
            path, partial(manager.canvas.figure.savefig, dpi=_DPI, bbox_inches="tight")
        )
        # Not on standard output, which is the script's own.
        print(f"Saved {path}", file=sys.stderr)
        Gcf.destroy(manager)
