"""Every error that a user can meet.

::

    LearnrateError
    ├── InputError (also a ValueError)      what was given cannot be used: the command ends with 2
    │   ├── DataError                       the examples: a table, a file, the arrays
    │   ├── OptionError                     an option or argument: a rate, a batch size, a name
    │   └── OutputError                     a file that cannot be written, a suffix not known
    ├── MissingExtraError (also an ImportError)   an optional package is needed
    ├── ClusterError (also a ConnectionError)     a cluster that cannot be reached, or was lost
    ├── AutogradError (also a RuntimeError) recording or differentiating in a way that has no answer
    ├── MissingNameError (also an AttributeError) a name of MXNet's that learnrate does not have
    └── MissingModuleError (also an ImportError)  a module of MXNet's that learnrate does not have

A message is one line in one form: what must hold, what came, what to do. Divergence is not here: a
rate that diverges is a result, not an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "AutogradError",
    "ClusterError",
    "DataError",
    "InputError",
    "LearnrateError",
    "MissingExtraError",
    "MissingModuleError",
    "MissingNameError",
    "OptionError",
    "OutputError",
    "did_you_mean",
]


class LearnrateError(Exception):
    """Base class of all errors that learnrate raises on purpose.

    What came is part of a message, and may have lines of its own (an array, say): they are joined to one.
    """

    def __init__(self, *args: object, **named: Any) -> None:
        if args:
            args = (" ".join(str(args[0]).split()), *args[1:])
        super().__init__(*args, **named)


class InputError(LearnrateError, ValueError):
    """What was given cannot be used."""


class DataError(InputError):
    """The examples cannot be used as they are."""


class OptionError(InputError):
    """An option or argument has a value that cannot be used."""


class OutputError(InputError):
    """A result cannot be written where, or as what, it was asked for."""


class MissingExtraError(LearnrateError, ImportError):
    """An optional package is needed and is not installed."""


class ClusterError(LearnrateError, ConnectionError):
    """A cluster cannot be reached, or was lost during the work."""


class AutogradError(LearnrateError, RuntimeError):
    """A gradient was asked for in a way that has no answer."""


class MissingNameError(LearnrateError, AttributeError):
    """A function, layer or method that MXNet may have is not part of learnrate."""


class MissingModuleError(LearnrateError, ImportError):
    """A module that MXNet may have is not part of learnrate."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'price'?"`` for the nearest known name, or the known names if few.

    The text starts with a space so that it can be put straight after a sentence.
    """
    names = list(known)
    folded = {item.casefold(): item for item in names}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f" Did you mean {folded[near[0]]!r}?"
    if len(names) <= 12:
        return " Known: " + ", ".join(names) + "."
    return f" Known: {', '.join(names[:10])}, … ({len(names)} in all)."
