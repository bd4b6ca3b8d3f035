"""A replacement of ``IPython.display``, which prints instead of showing in a notebook."""

from __future__ import annotations

from typing import Any

from learnrate._missing import missing
from learnrate.compat.inline import set_inline

__all__ = ["clear_output", "display", "set_matplotlib_formats"]


def set_matplotlib_formats(*formats: str, **kwargs: Any) -> None:
    """Show figures that are still open at the end of the run. The formats are ignored: files are PNG."""
    set_inline()


def display(*objects: Any, **kwargs: Any) -> None:
    """Print the objects."""
    for item in objects:
        print(item)


def clear_output(wait: bool = False) -> None:
    """Do nothing."""


__getattr__ = missing("IPython.display", __all__)
