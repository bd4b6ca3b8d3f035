"""Which engine executes a sweep: one table of them, and one estimate for ``engine="auto"``."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from learnrate.data.order import steps_per_epoch
from learnrate.engines.fused import gram_pays, kernels_name
from learnrate.engines.kernel_cache import is_kept
from learnrate.engines.problem import Engine
from learnrate.errors import OptionError, did_you_mean

__all__ = [
    "ENGINES",
    "STREAMING",
    "Choice",
    "EngineRow",
    "choose_engine",
    "estimated_seconds",
    "get_engine",
]


@dataclass(frozen=True)
class EngineRow:
    """Where an engine is found, and what it can do.

    ``threaded`` ones can use threads and have something to announce; ``streams`` says whether one trains on
    examples that are read in blocks.
    """

    module: str
    factory: str
    threaded: bool = False
    streams: bool = False


ENGINES = {
    "reference": EngineRow("learnrate.engines.reference", "ReferenceEngine"),
    "gram": EngineRow("learnrate.engines.gram", "GramEngine", streams=True),
    "fused": EngineRow("learnrate.engines.fused", "FusedEngine", threaded=True, streams=True),
    "torch": EngineRow("learnrate.engines.torch", "TorchEngine"),
}
"""Every engine by its name. A module is imported when its engine is chosen."""

STREAMING = tuple(name for name, row in ENGINES.items() if row.streams)
"""The engines for examples that are too many for memory."""


_LOADING, _COMPILING = 0.8, 10.0
"""Seconds to import Numba and load kernels from disk, and to compile them first."""


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
    if not isinstance(name, str) or name not in ENGINES:
        raise OptionError(
            f"engine must be auto or one of {', '.join(ENGINES)}. Got {name!r} instead."
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
    on_message: Callable[[str], object] | None = None,
) -> Choice:
    """The named engine, or for ``"auto"`` the one that is estimated to be done first.

    The estimate is `estimated_seconds` of training, and for ``fused`` what is still to be paid before it:
    importing Numba and loading kernels from disk, or compiling them.
    """
    if name != "auto":
        return Choice(get_engine(name, threads=threads, on_message=on_message), "asked for")
    size = (n, d, batch_size, lanes, epochs * seeds)
    gram, fused = estimated_seconds("gram", *size), estimated_seconds("fused", *size)
    grams = gram_pays(d, batch_size, lanes)
    waiting = _seconds_to_start_fused(kernels_name(np.dtype(dtype), grams))
    chosen = "gram" if gram <= fused + waiting else "fused"
    reason = f"estimated: gram {gram:.2g} s; fused {fused:.2g} s, and {waiting:.2g} s to start it"
    return Choice(get_engine(chosen, threads=threads, on_message=on_message), reason)


def estimated_seconds(name: str, n: int, d: int, batch_size: int, lanes: int, passes: int) -> float:
    """Rough training time of ``gram`` or ``fused`` on one core, in seconds.

    With ``D = d + 1`` a row costs ``min(2D² + 2D²K/B, 4DK)`` operations, whichever path is taken. NumPy
    does about 6·10⁹ of them a second and needs 5 µs a step besides; compiled, it is 25·10⁹, and 40 ns to
    fetch each row. Measured on one Zen 4 core; only the order of magnitude matters here.
    """
    D, B, K = d + 1, batch_size, lanes
    operations = n * min(2 * D**2 * (1 + K / B), 4 * D * K)
    if name == "gram":
        return 1e-3 + passes * (operations / 6e9 + 5e-6 * steps_per_epoch(n, B))
    return 5e-4 + passes * (operations / 25e9 + 40e-9 * n)


def _seconds_to_start_fused(kernels: str) -> float:
    """What is still to be paid: nothing once kernels are loaded, little once they are on disk."""
    if "learnrate.engines.kernels.paths" in sys.modules:
        return 0.0
    if importlib.util.find_spec("numba") is None:
        return math.inf
    return _LOADING if is_kept(kernels) else _COMPILING
