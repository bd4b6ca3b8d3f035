"""The engine for large work: the same arithmetic as `learnrate.linear.gram` and `learnrate.linear.rows`, compiled by Numba.

Numba is imported when an engine of this kind first trains. If it is not installed, the engine warns once
and trains with one of those two, which give the same curves.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import cache

import numpy as np

from learnrate.linear.anchor import plain_anchor
from learnrate.linear.gram import GramEngine
from learnrate.linear.kernel_cache import note_as_kept
from learnrate.linear.problem import EpochState, LinearProblem, beyond_grams, beyond_kernels
from learnrate.linear.rows import RowsEngine
from learnrate.linear.units import Grams, Unit
from learnrate.linear.workers import Workers
from learnrate.training.losses import Huber, Logistic, Loss
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["READY", "FusedEngine", "Way", "gram_pays", "kernels_name", "numba_works"]

READY: set[str] = set()
"""Kernels that this process has compiled or loaded; see `kernels_name`."""


class Way(StrEnum):
    """The kinds of kernels that can train a problem."""

    GRAMS = "grams"
    ROWS = "rows"
    OUTPUTS = "outputs"

    @classmethod
    def of(cls, problem: LinearProblem) -> Way:
        """The fastest kind for squared loss; the only one for other losses."""
        if beyond_grams(problem) is not None:
            return cls.OUTPUTS
        grams = gram_pays(problem.d, problem.batch_size, problem.lanes)
        return cls.GRAMS if grams else cls.ROWS


_PATIENCE = 1.0  # seconds of compiling before it is announced
_STARTING = threading.Lock()
"""Held while kernels are compiled, so that seeds on several threads compile and warn only once."""


def gram_pays(d: int, batch_size: int, lanes: int) -> bool:
    """Whether an epoch through Gram matrices takes fewer operations than one through the rows.

    With ``D = d + 1``, Gram matrices take for each row ``(D + 1)(D + 9)`` operations to compute the matrix (half of it, in
    tiles), a share of ``2D²K/B`` to multiply by it, and 15 % more. Rows take ``4DK`` for the step and ``2DK`` for the
    loss, which the matrices give without extra work. K is rounded up to the 16 lanes of a vector. Both are equal near
    ``D = 2.6 B`` for many lanes, and near ``D = 5.2 K`` for few.
    """
    D, B, K = d + 1, batch_size, -(-lanes // 16) * 16
    return 1.15 * ((D + 1) * (D + 9) + 2 * D**2 * K / B) < 6 * D * K


class FusedEngine(Engine):
    """Train with compiled kernels.

    Parameters
    ----------
    threads : int
        Number of threads. The results do not depend on it, to the last bit.
    on_message : callable, optional
        Called with a sentence when compiling takes longer than a second.
    """

    name = "fused"
    lanes_per_vector = 16

    def __init__(self, threads: int = 1, on_message: Callable[[str], object] | None = None) -> None:
        self.threads, self.on_message = threads, on_message

    def supports(self, problem: LinearProblem) -> str | None:
        """None for SGD with or without momentum, else why not; see `Engine`."""
        return beyond_kernels(problem)

    def states(
        self, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch."""
        way = Way.of(problem)
        if not self.prepare(problem.dtype, way):
            instead = RowsEngine() if way is Way.OUTPUTS else GramEngine()
            yield from instead.states(problem, start)
            return
        with self._workers() as workers:
            yield from _train(problem, EpochState.of(start), way, workers)

    def warm_up(self, problem: LinearProblem) -> None:
        """Compile kernels, or load them from disk, unless this process has them."""
        self.prepare(problem.dtype, Way.of(problem))

    def listened_to(self, on_message: Callable[[str], object] | None) -> FusedEngine:
        """An engine with as many threads and another callback for messages, or without one."""
        return FusedEngine(self.threads, on_message)

    def alone(self) -> FusedEngine:
        """An engine for a worker process, with one thread."""
        return FusedEngine()

    def prepare(self, dtype: np.dtype[np.floating], way: Way) -> bool:
        """Compile kernels, or load them from disk, unless this process has them; False without Numba."""
        with _STARTING:
            works = numba_works()
            if works and kernels_name(dtype, way) not in READY:
                with _announced(self.on_message):
                    _prepare_kernels(dtype, way)
        return works

    def states_on(
        self,
        problem: LinearProblem,
        start: LaneStates | None,
        made: Iterator[tuple[Unit, Grams]],
    ) -> Iterator[EpochState]:
        """`states` with Gram matrices that are computed elsewhere; see `learnrate.linear.units`.

        Parameters and velocities have the same bits. Sums over all examples are computed in another order, so
        losses agree up to rounding.
        """
        self.prepare(problem.dtype, Way.GRAMS)
        with self._workers() as workers:
            yield from _train(problem, EpochState.of(start), Way.GRAMS, workers, made)

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
    way: Way,
    workers: Workers,
    made: Iterator[tuple[Unit, Grams]] | None = None,
) -> Iterator[EpochState]:
    """Train with one kind of kernels."""
    if way is Way.OUTPUTS:
        return _train_outputs(problem, start, workers)
    return _train_squared(problem, start, way, workers, made)


def _train_outputs(
    problem: LinearProblem, start: EpochState | None, workers: Workers
) -> Iterator[EpochState]:
    """Train with a loss that is not quadratic, without an anchor."""
    from learnrate.linear.kernels.outputs_path import OutputsPath

    path = OutputsPath(problem, start, workers)
    if start is None:
        yield path.first_state()
    for epoch in range(0 if start is None else start.epoch, problem.epochs):
        path.train(epoch)
        yield path.state(epoch + 1)


def _train_squared(
    problem: LinearProblem,
    start: EpochState | None,
    way: Way,
    workers: Workers,
    made: Iterator[tuple[Unit, Grams]] | None,
) -> Iterator[EpochState]:
    """Train in the coordinates of the anchor. With Gram matrices the first state is known after the first epoch.

    Only then it is known whether the anchor is good enough. If not, training starts again with another anchor.
    """
    from learnrate.linear.kernels.paths import GramPath, RowPath
    from learnrate.linear.kernels.shared import MovingPath

    path: GramPath | RowPath
    kind = GramPath if way is Way.GRAMS else RowPath
    with np.errstate(all="ignore"):
        path = MovingPath(problem, start, workers, made) if made else kind(problem, start, workers)
        if not path.serves:
            path = kind(problem, start, workers, plain_anchor(problem))
    epoch = begin = 0 if start is None else start.epoch
    while epoch < problem.epochs:
        with np.errstate(all="ignore"):
            states = path.run(epoch)
            if epoch == begin and not path.serves:
                if isinstance(path, MovingPath):
                    path.leave_the_rest(states[-1].epoch)
                path = kind(problem, start, workers, plain_anchor(problem))
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


def _prepare_kernels(dtype: np.dtype[np.floating], way: Way) -> None:
    """Train tiny problems, so that kernels are compiled, or loaded from disk."""
    X = np.zeros((3, 1), dtype=dtype)
    problem = LinearProblem(X, X[:, 0].copy(), np.ones(1), batch_size=2, epochs=1)
    losses: tuple[Loss, ...] = (problem.loss,)
    if way is Way.OUTPUTS:  # those of numbers are measured in float64
        losses = (Logistic(), Huber()) if dtype == np.float32 else (Logistic(),)
    for momentum in (0.0, 0.5):  # with momentum epochs are not taken together
        for loss in losses:
            tiny = replace(problem, momentum=momentum, loss=loss)
            for _ in _train(tiny, None, way, Workers(1, None)):
                pass
    READY.add(kernels_name(dtype, way))
    note_as_kept(kernels_name(dtype, way))


@cache
def kernels_name(dtype: np.dtype[np.floating], way: Way) -> str:
    """The name of a set of kernels in `READY` and in `learnrate.linear.kernel_cache`."""
    return f"{dtype.name}-{way}"


@cache
def numba_works() -> bool:
    """Whether Numba can be imported; if not, warn once."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        warnings.warn(
            f"The fused engine needs Numba, which cannot be imported ({error}); NumPy trains instead, by the engine "
            "gram or rows, with the same numbers. Install it with: pip install numba",
            stacklevel=3,
        )
        return False
    return True
