"""What the process does that holds the connection to Ray, and moves the lanes where the data is split.

Ray ends a process without a word that reads from a node which is lost, and waits for a minute in one whose head is.
So a sweep's own process has no connection to it. It starts this one, and the two talk through a pair of sockets that
only they have: first a `Job` goes this way, then ``(kind, …)`` tuples come back. At a further word, or when the other
end is closed, this process ends its workers and leaves.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from learnrate._shapes import Array
from learnrate.cluster.connection import connected
from learnrate.cluster.crew import Crew
from learnrate.cluster.lanes import split_lanes
from learnrate.cluster.passes import AHEAD, split_passes, unit_bytes
from learnrate.cluster.split import choose_split
from learnrate.engines.choose import get_engine
from learnrate.engines.fused import FusedEngine, gram_pays, numba_works
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.errors import OptionError
from learnrate.sweeps.executors import States

__all__ = ["Job", "main", "receive_job", "send_job"]

_SLACK = 1 << 27
_BREATH = 0.1
"""Seconds between tellings of how far an epoch is."""


@dataclass(frozen=True, eq=False)
class Job:
    """A training on a cluster.

    Attributes
    ----------
    problems, starts
        As `learnrate.sweeps.executors.Executor` takes them: the same examples for every seed. The problems tell
        nobody of their progress.
    engine, threads
        The engine's name, and the threads of the process that moves the lanes where the data is split.
    address, split, workers
        Of `learnrate.cluster.ray.RayCluster`.
    """

    problems: Sequence[LinearProblem]
    starts: Sequence[EpochState | None]
    engine: str
    threads: int
    address: str
    split: str | None
    workers: int | None


def send_job(pipe: Connection[Any, Any], job: Job) -> None:
    """Write a job; its examples as they lie in memory, without a copy that a message would need."""
    first = job.problems[0]
    arrays = [np.ascontiguousarray(array) for array in (first.X, first.y)]
    bare = [replace(problem, X=first.X[:0], y=first.y[:0]) for problem in job.problems]
    pipe.send((replace(job, problems=bare), [array.shape for array in arrays]))
    for array in arrays:
        pipe.send_bytes(_as_bytes(array))


def receive_job(pipe: Connection[Any, Any]) -> Job:
    """Read what `send_job` writes; all problems have the same arrays."""
    job: Job
    job, shapes = pipe.recv()
    X, y = (np.empty(shape, job.problems[0].dtype) for shape in shapes)
    for array in (X, y):
        pipe.recv_bytes_into(_as_bytes(array))
    return replace(job, problems=[replace(problem, X=X, y=y) for problem in job.problems])


def _as_bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def main() -> None:
    """Take a job from the socket whose number is the first argument, and write there what comes of it."""
    pipe: Connection[Any, Any] = Connection(int(sys.argv[1]))
    lock = threading.Lock()

    def reply(*what: Any) -> None:
        with lock:
            pipe.send(what)

    def leave_when_told() -> None:
        pipe.poll(None)
        _thread.interrupt_main()

    with suppress(KeyboardInterrupt, EOFError, OSError):  # nobody is there any more
        try:
            training = _Training(receive_job(pipe), reply)
            threading.Thread(target=leave_when_told, daemon=True).start()
            training.run()
        except Exception as error:
            reply("error", error)


class _Training:
    """One job; see `Job` and `learnrate.cluster.launch` for the replies."""

    def __init__(self, job: Job, reply: Callable[..., None]) -> None:
        self.job, self.reply = job, reply
        self.engine = get_engine(
            job.engine, threads=job.threads, on_message=partial(self.reply, "message")
        )
        self.split, self.starting = "nothing", 0.0

    def run(self) -> None:
        """Connect, train, disconnect."""
        job, began = self.job, time.perf_counter()
        cpus = job.workers or os.cpu_count() or 1
        preparing = threading.Thread(target=self._prepare, args=(job.problems[0],), daemon=True)
        preparing.start()
        with connected(job.address, cpus=cpus, store=_store(job, cpus)) as connection:
            self.reply("places", connection.places)
            crew = None
            try:
                crew = Crew(
                    connection,
                    job.problems,
                    job.engine,
                    at_most=job.workers,
                    on_message=partial(self.reply, "message"),
                )
                preparing.join()
                self.job = job = replace(job, problems=crew.shared())  # one copy is enough
                self.starting = time.perf_counter() - began
                self._train(crew)
            except Exception as error:
                # Now, since leaving a cluster that is lost takes its time, or this process's life.
                self.reply("error", error)
            finally:
                if crew is not None:
                    self._end(crew, time.perf_counter() - began - self.starting)

    def _prepare(self, problem: LinearProblem) -> None:
        """Load kernels while Ray and the workers start."""
        if isinstance(self.engine, FusedEngine):
            self.engine.prepare(
                problem.dtype, gram_pays(problem.d, problem.batch_size, problem.lanes)
            )

    def _train(self, crew: Crew) -> None:
        self.split = self._split(len(crew.ready))
        with closing(self._states(self.split, crew)) as states:
            for s, state in states:
                self.reply("state", s, state)

    def _end(self, crew: Crew, training: float) -> None:
        crew.close()
        who, *each = crew.account()
        lines = [f"{self.split} split over {who}, ready in {self.starting:.1f} s", *each]
        self.reply("account", lines, self.starting, training)

    def _split(self, workers: int) -> str:
        job, first = self.job, self.job.problems[0]
        if not (isinstance(self.engine, FusedEngine) and numba_works()):
            return "lanes"
        if job.split is None:
            return choose_split(first, len(job.problems), workers, job.engine)
        if job.split == "data" and not gram_pays(first.d, first.batch_size, first.lanes):
            raise OptionError(
                "--cluster-split data is for training through Gram matrices. Got "
                f"{first.d} features and a batch size of {first.batch_size}, for which rows are quicker; use "
                "--cluster-split lanes, or a larger batch size."
            )
        return job.split

    def _states(self, split: str, crew: Crew) -> States:
        job = self.job
        if split != "data" or not isinstance(self.engine, FusedEngine):
            return split_lanes(crew, job.problems, job.starts)
        problems = [
            replace(problem, on_rows=self._teller(s)) for s, problem in enumerate(job.problems)
        ]
        return split_passes(crew, self.engine, problems, job.starts)

    def _teller(self, s: int) -> Callable[[int], None]:
        """Tells how far an epoch of problem ``s`` is, now and then."""
        told = 0.0

        def tell(rows: int) -> None:
            nonlocal told
            if time.monotonic() - told > _BREATH:
                told = time.monotonic()
                self.reply("rows", s, rows)

        return tell


def _store(job: Job, cpus: int) -> int:
    """Bytes of the object store that the job wants on one machine: the examples, and units on their way."""
    first = job.problems[0]
    examples = first.X.nbytes + first.y.nbytes
    return _SLACK + 5 * examples // 4 + 2 * AHEAD * unit_bytes(first) * cpus
