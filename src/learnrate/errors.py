"""The errors that learnrate raises.

::

    LearnrateError
    ├── InputError (also a ValueError)            an input cannot be used: the command exits with code 2
    │   ├── DataError                             the examples: a table, a file, arrays
    │   ├── OptionError                           an option or argument: a rate, a batch size, a name
    │   └── OutputError                           a file that cannot be written, or an unknown suffix
    ├── MissingExtraError (also an ImportError)   an optional package is not installed
    ├── ClusterError (also a ConnectionError)     a cluster cannot be reached, or was lost
    ├── AutogradError (also a RuntimeError)       a gradient that is not defined, or not recorded
    ├── MissingNameError (also an AttributeError) a name of MXNet that learnrate does not have
    └── MissingModuleError (also an ImportError)  a module of MXNet that learnrate does not have

A message is one line in one form: what must hold, what was given, what to do. A rate that diverges is a result, not
an error.

A message refers to an option through `option`, since Python and the command line spell it differently:
``checkpoint=`` and ``--checkpoint``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

__all__ = [
    "AutogradError",
    "ClusterError",
    "DataError",
    "InputError",
    "LearnrateError",
    "LearnrateWarning",
    "MissingExtraError",
    "MissingModuleError",
    "MissingNameError",
    "OptionError",
    "OutputError",
    "as_flags",
    "did_you_mean",
    "option",
]

_OPTION = re.compile("\ue000([a-z_]+)(?:=([^\ue001]*))?\ue001")


def option(name: str, value: str | None = None) -> str:
    """A placeholder for an option in a message, optionally with a value that the message advises.

    ``option("missing")`` is printed as ``missing`` in Python and ``--missing`` on the command line,
    ``option("missing", "drop")`` as ``missing='drop'`` and ``--missing drop``, and ``option("no_header")`` as
    ``header=False`` and ``--no-header``.
    """
    return f"\ue000{name}{'' if value is None else f'={value}'}\ue001"


def as_flags(text: str) -> str:
    """Replace the placeholders of `option` in a message by command-line flags."""
    return _OPTION.sub(
        lambda found: f"--{found[1].replace('_', '-')}{f' {found[2]}' if found[2] else ''}", text
    )


def _as_keywords(text: str) -> str:
    """Replace the placeholders of `option` in a message by Python keywords."""

    def keyword(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name.startswith("no_"):
            return f"{name.removeprefix('no_')}=False"
        if not value:
            return str(name)
        return f"{name}={value}" if value.isdigit() else f"{name}={value!r}"

    return _OPTION.sub(keyword, text)


class _Message:
    """Base of errors and warnings whose text holds placeholders of `option`."""

    args: tuple[Any, ...]

    def __str__(self) -> str:
        """The message, with options as Python keywords."""
        return self.said(_as_keywords)

    def said(self, how: Callable[[str], str]) -> str:
        """The message, with its placeholders replaced by ``how``: see `as_flags`."""
        return how(" ".join(map(str, self.args)))


class LearnrateWarning(_Message, UserWarning):
    """A warning of learnrate: the work goes on, and the user should know something about it."""


class LearnrateError(_Message, Exception):
    """Base class of all errors that learnrate raises on purpose. Lines of a message are joined into one."""

    def __init__(self, *args: object, **named: Any) -> None:
        if args:
            args = (" ".join(str(args[0]).split()), *args[1:])
        super().__init__(*args, **named)


class InputError(LearnrateError, ValueError):
    """An input cannot be used: the examples, an option or an output path."""


class DataError(InputError):
    """The examples cannot be used as they are."""


class OptionError(InputError):
    """An option or argument has a value that cannot be used."""


class OutputError(InputError):
    """A result cannot be written to the path, or in the format, that was asked for."""


class MissingExtraError(LearnrateError, ImportError):
    """A needed optional package is not installed."""


class ClusterError(LearnrateError, ConnectionError):
    """A cluster cannot be reached, or was lost during the training."""


class AutogradError(LearnrateError, RuntimeError):
    """A gradient was asked for that is not defined, or whose computation was not recorded."""


class MissingNameError(LearnrateError, AttributeError):
    """A function, layer or method of MXNet, or a misspelt name, that learnrate does not have."""


class MissingModuleError(LearnrateError, ImportError):
    """A module of MXNet, or a misspelt name, that learnrate does not have."""


def not_one_of(what: str, value: object, known: Iterable[str]) -> OptionError:
    """The error for an unknown value: ``… must be one of a, b. Got 'c' instead. Did you mean 'b'?``

    ``what`` is the option: a placeholder of `option`, or a name.
    """
    known = list(known)
    near = _most_similar(value, known)
    return OptionError(
        f"{what} must be one of {', '.join(known)}. Got {value!r} instead."
        + (f" Did you mean {near!r}?" if near else "")
    )


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``" Did you mean 'price'?"`` for the most similar known name; without a similar one, up to 12 known names.

    The text starts with a space, to follow a sentence.
    """
    names = list(known)
    near = _most_similar(name, names)
    if near:
        return f" Did you mean {near!r}?"
    if len(names) <= 12:
        return " Known: " + ", ".join(names) + "."
    return f" Known: {', '.join(names[:10])}, … ({len(names):,} in all)."


def _most_similar(name: object, known: Iterable[str]) -> str | None:
    """The known name that is most similar to one with a typing error; None if none is."""
    folded = {item.casefold(): item for item in known}
    typed = str(name).casefold()
    swapped = [item for item in folded if sorted(item) == sorted(typed)]
    near = swapped or difflib.get_close_matches(typed, folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None
