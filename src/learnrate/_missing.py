"""What is not here is named, with the nearest name that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from learnrate.errors import MissingNameError, did_you_mean

__all__ = ["missing"]


def missing(module: str, known: Iterable[str]) -> Callable[[str], NoReturn]:
    """Make a module's ``__getattr__``.

    Parameters
    ----------
    module : str
        What the module's users call it, such as ``"nd"``.
    known : iterable of str
        The names that it has.

    Returns
    -------
    callable
        Raises `MissingNameError`, an AttributeError, for any name.
    """

    def __getattr__(name: str) -> NoReturn:  # noqa: N807
        nearest = "" if name.startswith("_") else did_you_mean(name, known)
        raise MissingNameError(f"{module}.{name} is not part of learnrate.{nearest}", name=name)

    return __getattr__
