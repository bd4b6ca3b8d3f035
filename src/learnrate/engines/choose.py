"""Which engine executes a sweep: one table of them, and one estimate for ``engine="auto"``."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from learnrate.engines.problem import Engine
from learnrate.errors import OptionError, did_you_mean

__all__ = ["ENGINES", "Choice", "choose_engine", "get_engine"]

ENGINES = {
    "reference": ("learnrate.engines.reference", "ReferenceEngine"),
    "gram": ("learnrate.engines.gram", "GramEngine"),
    "torch": ("learnrate.engines.torch", "TorchEngine"),
}
"""Name of each engine, with the module and class that are loaded when it is chosen."""


class Choice(NamedTuple):
    """An engine and why it was chosen."""

    engine: Engine
    reason: str


def get_engine(name: str) -> Engine:
    """Load an engine by its name.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    if name not in ENGINES:
        raise OptionError(
            f"engine must be auto or one of {', '.join(ENGINES)}. Got {name!r} instead."
            + did_you_mean(name, ["auto", *ENGINES])
        )
    module, factory = ENGINES[name]
    engine: Engine = getattr(importlib.import_module(module), factory)()
    return engine


def choose_engine(
    name: str, *, n: int, d: int, batch_size: int, lanes: int, epochs: int, seeds: int = 1
) -> Choice:
    """The named engine, or for ``"auto"`` the one that should be done first."""
    if name != "auto":
        return Choice(get_engine(name), "asked for")
    return Choice(get_engine("gram"), "the only fast engine yet")
