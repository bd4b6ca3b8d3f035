"""What stands for IPython while a script runs and IPython is not installed."""

from learnrate._missing import missing
from learnrate.compat.ipython import display

__all__ = ["display", "get_ipython", "version_info"]

version_info = (9, 0, 0, "")
"""matplotlib asks for it."""


def get_ipython() -> None:
    """No shell: this is a plain script."""


__getattr__ = missing("IPython", __all__)
