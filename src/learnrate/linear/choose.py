"""The table of engines, and the choice of one for ``engine="auto"``."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from learnrate.errors import OptionError, did_you_mean, option
from learnrate.linear.costs import (
    fused_seconds,
    gram_seconds,
    outputs_seconds,
    rows_seconds,
    start_seconds,
)
from learnrate.linear.fused import Way, gram_pays, numba_works
from learnrate.training.problem import Engine

__all__ = ["ENGINES", "STREAMING", "Choice", "EngineRow", "choose_engine", "get_engine"]


@dataclass(frozen=True)
class EngineRow:
    """The module and class of an engine, and its abilities.

    ``threaded`` engines take the arguments ``threads`` and ``on_message``; engines with ``streams`` can train on examples
    that are read in blocks.
    """

    module: str
    factory: str
    threaded: bool = False
    streams: bool = False


ENGINES = {
    "reference": EngineRow("learnrate.linear.reference", "ReferenceEngine", streams=True),
    "gram": EngineRow("learnrate.linear.gram", "GramEngine", streams=True),
    "fused": EngineRow("learnrate.linear.fused", "FusedEngine", threaded=True, streams=True),
    "rows": EngineRow("learnrate.linear.rows", "RowsEngine", streams=True),
    "torch": EngineRow("learnrate.linear.torch", "TorchEngine"),
}
"""All engines by name. A module is imported when its engine is chosen."""

STREAMING = tuple(name for name, row in ENGINES.items() if row.streams)
"""The engines that can train on examples larger than memory."""


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
        For an engine with threads; see `FusedEngine`.

    Raises
    ------
    OptionError
        If there is no engine of this name.
    """
    if not isinstance(name, str) or name not in ENGINES:
        raise OptionError(
            f"{option('engine')} must be auto or one of {', '.join(ENGINES)}. Got {name!r} instead."
            + did_you_mean(name, ["auto", *ENGINES])
        )
    row = ENGINES[name]
    options = {"threads": threads, "on_message": on_message} if row.threaded else {}
    engine: Engine = getattr(importlib.import_module(row.module), row.factory)(**options)
    return engine


def choose_engine(
    name: str,
    *,
    n: int,
    d: int,
    batch_size: int,
    lanes: int,
    epochs: int,
    seeds: int = 1,
    dtype: str = "float64",
    threads: int = 1,
    grams: bool = True,
    outputs: int = 1,
    on_message: Callable[[str], object] | None = None,
) -> Choice:
    """The engine of this name; for ``"auto"`` the one that is estimated to be the fastest, and the estimates.

    `learnrate.linear.costs` estimates the time of training, and for ``fused`` also the time to import and compile.
    ``grams`` is False for losses and optimizers that cannot be trained with Gram matrices; then ``rows`` is used instead of
    ``gram``. ``outputs`` is the number of outputs of the model, or 0 if compiled kernels cannot train it either. If Numba
    cannot be imported, NumPy is used instead of ``fused``, after one warning.

    Raises
    ------
    OptionError
        If there is no engine of this name.
    """
    reason = "asked for"
    instead = "gram" if grams else "rows"
    if name == "auto" and not outputs:
        name, reason = "rows", "it has every loss and optimizer"
    elif name == "auto":
        size = n, d, batch_size, lanes if grams else lanes * outputs, epochs * seeds
        name, reason = _quickest(instead, size, np.dtype(dtype))
    if name == "fused" and not numba_works():
        name, reason = instead, f"fused needs Numba; {reason}"
    return Choice(get_engine(name, threads=threads, on_message=on_message), reason)


def _quickest(
    instead: str, size: tuple[int, int, int, int, int], dtype: np.dtype[np.floating]
) -> tuple[str, str]:
    """The name of the engine with the smallest estimate, and the estimates."""
    _, d, batch_size, columns, _ = size
    if instead == "gram":
        plain, fused = gram_seconds(*size, dtype), fused_seconds(*size, dtype)
        way = Way.GRAMS if gram_pays(d, batch_size, columns) else Way.ROWS
    else:
        plain, fused = rows_seconds(*size, dtype), outputs_seconds(*size, dtype)
        way = Way.OUTPUTS
    start = start_seconds(way, dtype)
    reason = f"estimated: {instead} {_duration(plain)}, fused {_duration(fused)}"
    if math.isinf(start):
        reason += ", which needs Numba"
    elif start:
        reason += f" and {_duration(start)} to start it"
    return "fused" if fused + start < plain else instead, reason


def _duration(seconds: float) -> str:
    """Two digits: 3.1 ms, 0.31 s, 12 s."""
    if seconds < 0.0995:
        return f"{1e3 * seconds:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 99.5 else f"{seconds:,.0f} s"
