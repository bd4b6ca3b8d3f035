"""Every kernel of the fused engine on arrays between pages that may not be touched.

::

    LEARNRATE_VECTOR_BYTES=32 python -m tests.linear.fences float32 100

trains 100 problems that hypothesis makes. Each array that reaches a kernel is copied to memory whose last byte is
followed by a page without access, and the kernel runs; then to memory whose first byte follows such a page, and
it runs again. A read or write outside an array ends the process (SIGSEGV), and the last line printed is the shape.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from learnrate._shapes import Array
from learnrate.data.order import Sampling
from learnrate.linear.kernels import compiled as decorators
from learnrate.linear.problem import LinearProblem
from learnrate.linear.workers import Workers
from tests.contract.problems import make_problem, problems

FENCE = 1 << 20  # bytes without access on either side
PAGE = mmap.PAGESIZE
_CALLS = threading.Lock()
"""Threads share arrays, each writing a part of its own: one kernel at a time, so that its parts are copied back."""


class Fences:
    """Memory between two fences, used again for arrays that take as many pages."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._free: dict[int, list[mmap.mmap]] = {}

    @contextmanager
    def hold(self, pages: int) -> Iterator[memoryview]:
        """So many pages with a fence on either side."""
        free = self._free.setdefault(pages, [])
        area = free.pop() if free else self._make(pages)
        yield memoryview(area)[FENCE : FENCE + pages * PAGE]
        free.append(area)

    def _make(self, pages: int) -> mmap.mmap:
        area = mmap.mmap(-1, 2 * FENCE + pages * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(area))
        for fence in (start, start + FENCE + pages * PAGE):
            if self._libc.mprotect(ctypes.c_void_p(fence), ctypes.c_size_t(FENCE), 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        return area


FENCES = Fences()


def fenced(kernel: Callable[..., None]) -> Callable[..., None]:
    """The kernel, run with a fence behind each of its arrays and then with one before each."""

    def call(*arguments: Any) -> None:
        with _CALLS:
            behind = _run(kernel, arguments, at_the_end=True)
            before = _run(kernel, arguments, at_the_end=False)
            for key, (array, result) in behind.items():
                np.testing.assert_array_equal(result, before[key][1])
                if array.flags.writeable:
                    array[...] = result

    return call


def _run(
    kernel: Callable[..., None], arguments: tuple[Any, ...], at_the_end: bool
) -> dict[tuple[int, int, str], tuple[Array, Array]]:
    """Run it on copies; the arrays by where they lie, each with what its copy became."""
    places: dict[tuple[int, int], tuple[Array, int]] = {}  # views of one array stay views of one
    results: dict[tuple[int, int, str], tuple[Array, Array]] = {}
    held: list[Any] = []

    def copy(value: Any) -> Any:
        if isinstance(value, tuple):
            parts = map(copy, value)
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        if not isinstance(value, np.ndarray):
            return value
        assert value.flags.c_contiguous
        where = value.ctypes.data, value.nbytes
        if where not in places:
            pages = max(1, -(-value.nbytes // PAGE))  # an empty array is a place too
            area = FENCES.hold(pages)
            held.append(area)
            memory = np.frombuffer(area.__enter__(), dtype=np.uint8)
            memory[:] = 0xFF  # not a number, in any float
            first = memory.size - value.nbytes if at_the_end else 0
            memory[first : first + value.nbytes] = value.reshape(-1).view(np.uint8)
            places[where] = memory, first
        memory, first = places[where]
        twin: Array = np.ndarray(value.shape, value.dtype, memory, first)
        twin.flags.writeable = value.flags.writeable
        results[(*where, str(value.dtype))] = value, twin
        return twin

    kernel(*map(copy, arguments))
    kept = {key: (value, twin.copy()) for key, (value, twin) in results.items()}
    for area in held:
        area.__exit__(None, None, None)
    return kept


def train(problem: LinearProblem, grams: bool, threads: int) -> None:
    """Train on either path, whichever would be quicker; go on from a state; and on matrices made elsewhere."""
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from learnrate.linear.fused import Way, _train
    from learnrate.linear.kernels.shared import GramMaker
    from learnrate.linear.units import units

    with ThreadPoolExecutor(threads) as executor:
        workers = Workers(threads, executor if threads > 1 else None)
        way = Way.GRAMS if grams else Way.ROWS
        states = list(_train(problem, None, way, workers))
        list(_train(problem, states[-2], way, workers))
        if grams and problem.n <= 60:
            maker = GramMaker(replace(problem, lrs=problem.lrs[:1]))
            made = ((unit, maker.make(unit)) for unit in units(problem, None, 5))
            list(_train(problem, None, way, workers, made))


def train_outputs(problem: LinearProblem, classes: int, threads: int) -> None:
    """Train every loss that kernels know on the examples, whatever their labels."""
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from learnrate.linear.fused import Way, _train
    from learnrate.linear.kernels.outputs import KINDS
    from learnrate.training.losses import Softmax, get_loss

    codes = np.arange(problem.n) % classes
    for name in KINDS:
        loss = Softmax(classes) if name == "softmax" else get_loss(name)()
        y = codes if name == "softmax" else codes % 2
        labels = y if loss.of_classes else y.astype(problem.dtype)
        with ThreadPoolExecutor(threads) as executor:
            workers = Workers(threads, executor if threads > 1 else None)
            made = replace(problem, y=labels, loss=loss)
            states = list(_train(made, None, Way.OUTPUTS, workers))
            list(_train(made, states[-2], Way.OUTPUTS, workers))


def shape(problem: LinearProblem, grams: bool, threads: int) -> str:
    """What a reader needs to have the same call again."""
    return (
        f"n={problem.n} d={problem.d} batch_size={problem.batch_size} K={problem.lrs.size} "
        f"{problem.dtype} epochs={problem.epochs} threads={threads} path={'grams' if grams else 'rows'} "
        f"{problem.sampling} block_size={problem.block_size} momentum={problem.momentum} "
        f"decay={problem.weight_decay} largest={np.abs(problem.X).max():.3g}"
    )


def main(dtype: str, examples: int) -> None:
    """Train so many problems of one type, after those that a kernel has once been wrong on."""
    faulthandler.enable()

    def told(problem: LinearProblem, grams: bool, threads: int) -> None:
        print(shape(problem, grams, threads), flush=True)
        train(problem, grams, threads)

    told(make_problem(60, 3, 7, 5, 2, dtype=dtype), True, 1)
    fresh = make_problem(900, 3, 600, 5, 2, dtype=dtype, sampling=Sampling.INDEPENDENT)
    told(fresh, True, 2)

    bounded = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @bounded
    @given(data=st.data(), grams=st.booleans(), threads=st.integers(1, 3))
    def runs(data: st.DataObject, grams: bool, threads: int) -> None:
        largest = data.draw(st.sampled_from([(60, 12, 9), (300, 40, 40), (300, 300, 200)]))
        most = dict(zip(("max_n", "max_d", "max_lanes"), largest, strict=True))
        problem = data.draw(problems(dtype=dtype, **most))
        told(problem, grams, threads)

    @bounded
    @given(data=st.data(), classes=st.integers(1, 40), threads=st.integers(1, 3))
    def runs_of_outputs(data: st.DataObject, classes: int, threads: int) -> None:
        largest = data.draw(st.sampled_from([(60, 12, 9), (600, 40, 40), (300, 300, 60)]))
        most = dict(zip(("max_n", "max_d", "max_lanes"), largest, strict=True))
        problem = data.draw(problems(dtype=dtype, **most))
        print(shape(problem, False, threads), f"classes={classes}", flush=True)
        train_outputs(problem, classes, threads)

    runs()
    runs_of_outputs()
    print("all inside", flush=True)


if __name__ == "__main__":
    decorate = decorators.compiled
    decorators.compiled = lambda function: fenced(decorate(function))
    main(sys.argv[1], int(sys.argv[2]))
