"""The engine for large work: the same arithmetic as `learnrate.engines.gram`, compiled by Numba.

Numba is imported when an engine of this kind first trains. Where it is missing the engine says so once
and trains with `GramEngine`, which gives the same curves.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import numpy as np

from learnrate.engines.gram import GramEngine
from learnrate.engines.kernel_cache import note_as_kept
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.engines.units import Grams, Unit
from learnrate.engines.workers import Workers

__all__ = ["READY", "FusedEngine", "gram_pays", "kernels_name", "numba_works"]

READY: set[str] = set()
"""Kernels that this process has compiled or loaded; see `kernels_name`."""

_PATIENCE = 1.0  # seconds of compiling before it is announced
_STARTING = threading.Lock()
"""Seeds that start at the same time on threads compile once and warn once."""


def gram_pays(d: int, batch_size: int, lanes: int) -> bool:
    """Whether an epoch through Gram matrices takes fewer operations than one through the rows.

    With ``D = d + 1``, for each row of a minibatch: ``(D + 1)(D + 9)`` to make the matrix (half of it, in
    tiles) and its share ``2D²K/B`` of applying it, and 15 % for handling it; against ``4DK`` through the
    row and ``2DK`` for the loss, which the matrices give for nothing. K is rounded up to the 16 lanes of a
    vector. For many lanes they cross near ``D = 2.6 B``; for few near ``D = 5.2 K``.
    """
    D, B, K = d + 1, batch_size, -(-lanes // 16) * 16
    return 1.15 * ((D + 1) * (D + 9) + 2 * D**2 * K / B) < 6 * D * K


class FusedEngine:
    """Train with compiled kernels.

    Parameters
    ----------
    threads : int
        Threads to use. The numbers do not depend on it, to the last bit.
    on_message : callable, optional
        Called with a sentence when compiling takes longer than a second.
    """

    name = "fused"

    def __init__(self, threads: int = 1, on_message: Callable[[str], object] | None = None) -> None:
        self.threads, self.on_message = threads, on_message

    def epochs(
        self, problem: LinearProblem, start: EpochState | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch."""
        grams = gram_pays(problem.d, problem.batch_size, problem.lanes)
        if not self.prepare(problem.dtype, grams):
            yield from GramEngine().epochs(problem, start)
            return
        with self._workers() as workers:
            yield from _train(problem, start, grams, workers)

    def prepare(self, dtype: np.dtype[np.floating], grams: bool) -> bool:
        """Compile kernels, or load them from disk, unless this process has them; False without Numba."""
        with _STARTING:
            works = numba_works()
            if works and kernels_name(dtype, grams) not in READY:
                with _announced(self.on_message):
                    _prepare_kernels(dtype, grams)
        return works

    def epochs_on(
        self,
        problem: LinearProblem,
        start: EpochState | None,
        made: Iterator[tuple[Unit, Grams]],
    ) -> Iterator[EpochState]:
        """The same on Gram matrices that are made elsewhere; see `learnrate.engines.units`.

        Parameters and velocities are the same bits. Sums over all examples are made in another order, so
        losses agree to rounding.
        """
        self.prepare(problem.dtype, True)
        with self._workers() as workers:
            yield from _train(problem, start, True, workers, made)

    @contextmanager
    def _workers(self) -> Iterator[Workers]:
        if self.threads == 1:
            yield Workers(1, None)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self.threads - 1) as executor:
            yield Workers(self.threads, executor)


def _train(
    problem: LinearProblem,
    start: EpochState | None,
    grams: bool,
    workers: Workers,
    made: Iterator[tuple[Unit, Grams]] | None = None,
) -> Iterator[EpochState]:
    """Train on one path. With Gram matrices the first state is known after the first epoch."""
    from learnrate.engines.kernels.paths import GramPath, RowPath
    from learnrate.engines.kernels.shared import MovingPath

    with np.errstate(all="ignore"):
        path: GramPath | RowPath
        if made is not None:
            path = MovingPath(problem, start, workers, made)
        else:
            path = (GramPath if grams else RowPath)(problem, start, workers)
    epoch = 0 if start is None else start.epoch
    while epoch < problem.epochs:
        with np.errstate(all="ignore"):
            states = path.run(epoch)
        epoch = states[-1].epoch
        yield from states
    if start is None and not problem.epochs:
        with np.errstate(all="ignore"):
            first = path.first_state()
        yield first


@contextmanager
def _announced(on_message: Callable[[str], object] | None) -> Iterator[None]:
    """Say that kernels are being compiled if that takes longer than a second."""
    if on_message is None:
        yield
        return
    timer = threading.Timer(_PATIENCE, on_message, ["Compiling kernels, once on this machine …"])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _prepare_kernels(dtype: np.dtype[np.floating], grams: bool) -> None:
    """Train a tiny problem, so that kernels are compiled, or loaded from disk."""
    X = np.zeros((3, 1), dtype=dtype)
    problem = LinearProblem(X, X[:, 0].copy(), np.ones(1), batch_size=2, epochs=1)
    for momentum in (0.0, 0.5):  # with momentum epochs are not taken together
        for _ in _train(replace(problem, momentum=momentum), None, grams, Workers(1, None)):
            pass
    READY.add(kernels_name(dtype, grams))
    note_as_kept(kernels_name(dtype, grams))


@cache
def kernels_name(dtype: np.dtype[np.floating], grams: bool) -> str:
    """What a set of kernels is noted under, in `READY` and in `learnrate.engines.kernel_cache`."""
    return f"{dtype.name}-{'grams' if grams else 'rows'}"


@cache
def numba_works() -> bool:
    """Whether Numba can be imported; if not, that is said once."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        warnings.warn(
            f"The fused engine needs Numba, which cannot be imported ({error}); the gram engine "
            "trains instead, with the same numbers. Install it with: pip install numba",
            stacklevel=3,
        )
        return False
    return True
