"""Which engine executes a sweep: one table of them, and one estimate for ``engine="auto"``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from learnrate.engines.problem import Engine
from learnrate.errors import OptionError, did_you_mean

__all__ = ["ENGINES", "Choice", "EngineRow", "choose_engine", "get_engine"]


@dataclass(frozen=True)
class EngineRow:
    """Where an engine is found, and whether it can use threads and has something to announce."""

    module: str
    factory: str
    threaded: bool = False


ENGINES = {
    "reference": EngineRow("learnrate.engines.reference", "ReferenceEngine"),
    "gram": EngineRow("learnrate.engines.gram", "GramEngine"),
    "fused": EngineRow("learnrate.engines.fused", "FusedEngine", threaded=True),
    "torch": EngineRow("learnrate.engines.torch", "TorchEngine"),
}
"""Every engine by its name. A module is imported when its engine is chosen."""


class Choice(NamedTuple):
    """An engine and why it was chosen."""

    engine: Engine
    reason: str


def get_engine(
    name: str, *, threads: int = 1, on_message: Callable[[str], object] | None = None
) -> Engine:
    """Load an engine by its name.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    threads, on_message
        For an engine that has threads, or something to announce; see `FusedEngine`.

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
    row = ENGINES[name]
    options = {"threads": threads, "on_message": on_message} if row.threaded else {}
    engine: Engine = getattr(importlib.import_module(row.module), row.factory)(**options)
    return engine


def choose_engine(
    name: str, *, n: int, d: int, batch_size: int, lanes: int, epochs: int, seeds: int = 1
) -> Choice:
    """The named engine, or for ``"auto"`` the one that should be done first."""
    if name != "auto":
        return Choice(get_engine(name), "asked for")
    return Choice(get_engine("gram"), "the only fast engine yet")
