"""Importing optional packages: the error for a missing one gives the command that installs it."""

from __future__ import annotations

import importlib
from types import ModuleType

from learnrate.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, or raise an error that names the extra of learnrate that installs it.

    Parameters
    ----------
    module : str
        Dotted name, such as ``"plotly.graph_objects"``.
    extra : str
        The extra that installs it, such as ``"note"``.
    purpose : str
        What it is needed for, a noun phrase: ``"interactive HTML reports"``.

    Raises
    ------
    MissingExtraError
        If the package (or one that it needs) is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"learnrate[{extra}] is needed for {purpose} ({error.name} is not installed). "
            f"Install it with: pip install 'learnrate[{extra}]'"
        ) from error
