"""Errors for names that learnrate does not have: a likely typing error gets the nearest known name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NoReturn

from learnrate.errors import MissingNameError, did_you_mean

__all__ = ["is_mxnet_name", "missing", "why_missing"]


@cache
def _mxnet_names() -> frozenset[str]:
    path = Path(__file__).with_name("mxnet_names.txt")
    return frozenset(path.read_text(encoding="utf-8").casefold().split())


def is_mxnet_name(name: str) -> bool:
    """Whether MXNet 1.9.1, or the book's package of helpers, has this name, ignoring upper and lower case."""
    return name.casefold() in _mxnet_names()


def why_missing(name: str, known: Iterable[str]) -> str:
    """The end of the sentence "… is not part of learnrate", with its full stop.

    For a name that MXNet has, no similar name is suggested: L1Loss is not a typing error for L2Loss.
    """
    if name.startswith("_"):
        return "."
    if is_mxnet_name(name):
        return ", which has what chapters 2, 3, 4 and 7 of the book use."
    return "." + did_you_mean(name, known)


def missing(module: str, known: Iterable[str]) -> Callable[[str], NoReturn]:
    """Make a ``__getattr__`` for a module, which raises the error for a name that the module does not have.

    Parameters
    ----------
    module : str
        The module's name in messages, such as ``"nd"``.
    known : iterable of str
        Names in the module, from which a similar one is suggested.

    Returns
    -------
    callable
        Raises `MissingNameError`, an AttributeError, for any name.
    """

    def __getattr__(name: str) -> NoReturn:  # noqa: N807
        why = why_missing(name, known)
        raise MissingNameError(f"{module}.{name} is not part of learnrate{why}", name=name)

    return __getattr__
