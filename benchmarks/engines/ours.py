"""learnrate's rows of a case, and the two measures of the machine behind the floor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import learnrate
from benchmarks.engines.cases import Case
from benchmarks.engines.contenders import Contender
from learnrate.linear.fused import FusedEngine
from learnrate.linear.kernels.least_squares import anchor_of
from learnrate.linear.problem import LinearProblem
from learnrate.training.losses import get_loss

Array = Any

COPIED = 1 << 27  # bytes
SIDE = 1024  # of the matrices
OPERATIONS = 2 * SIDE**3


def truth(case: Case, X: Array, y: Array) -> Array:
    """The losses of every lane after each epoch, in float64 by NumPy."""
    return sweep(case, X, y, case.lrs, engine="rows" if case.classes else "gram")


def sweep(case: Case, X: Array, y: Array, lrs: Array, **options: Any) -> Array:
    """A public call, with everything that it does; the losses after each epoch, (K, E)."""
    result = learnrate.sweep(
        *(X, y),
        lrs=lrs,
        loss=case.loss,
        **{"batch_size": case.batch_size, "epochs": case.epochs, **options},
    )
    return result.losses[0, :, 1:]


def ours(case: Case, X: Array, y: Array, expected: Array) -> Iterator[Contender]:
    """Learnrate's rows."""
    single = X.astype(np.float32), y if case.classes else y.astype(np.float32)

    def public(name: str, dtype: str, lanes: int = case.lanes, **options: Any) -> Contender:
        data, lrs = single if dtype == "float32" else (X, y), case.lrs[:lanes]
        return Contender(
            name, lambda: sweep(case, *data, lrs, dtype=dtype, **options), expected[:lanes]
        )

    for dtype in ("float32", "float64"):
        yield public(f"fused {dtype}", dtype, engine="fused")
        if not case.classes:
            yield public(f"gram {dtype}", dtype, engine="gram")
    if case.classes:
        yield public("rows float32", "float32", engine="rows")
    if case.alone:
        loss = get_loss(case.loss).of(y, case.classes)
        problem = LinearProblem(*single, case.lrs, case.batch_size, case.epochs, loss=loss)
        yield Contender("fused alone", lambda: alone(problem), expected)
        if not case.classes:
            yield Contender("least squares", lambda: anchor_of(problem))
    if case.name in ("S", "Q"):
        yield public("auto float64", "float64", engine="auto")
    if case.over_one is not None:
        yield public("fused float32, K = 1", "float32", lanes=1, engine="fused")


def alone(problem: LinearProblem) -> Array:
    """The fused engine on arrays that are ready for it."""
    states = list(FusedEngine().states(problem))
    return np.array([state.loss for state in states[1:]]).T


def by_threads(case: Case) -> Iterator[Contender]:
    """The public call in float32 on one thread and on two."""
    X, y = (a.astype(np.float32) for a in case.examples())
    for threads in (1, 2):

        def run(threads: int = threads) -> Array:
            options = {"engine": "fused", "dtype": "float32", "threads": threads}
            return sweep(case, X, y, case.lrs, **options)

        yield Contender(f"{case.name}, threads = {threads}", run)


def measures(case: Case) -> Iterator[Contender]:
    """Making the minibatch orders with NumPy, copying memory, and multiplying matrices in float32."""
    yield Contender("orders", case.orders)
    source = np.ones(COPIED // 8)
    target = np.zeros_like(source)
    A = np.full((SIDE, SIDE), 0.5, dtype=np.float32)
    product = np.empty_like(A)
    yield Contender("copy", lambda: np.copyto(target, source))
    yield Contender("matmul", lambda: np.matmul(A, A, out=product))
