"""A small replacement of IPython, for scripts that import it where it is not installed."""

from learnrate._missing import missing
from learnrate.compat.ipython import display

__all__ = ["display", "get_ipython", "version_info"]

version_info = (9, 0, 0, "")
"""Read by matplotlib."""


def get_ipython() -> None:
    """Return None: there is no IPython shell."""


__getattr__ = missing("IPython", __all__)
