"""The driver: a separate process that is connected to Ray. Where the data is split, it also updates the lanes.

A process that reads from a lost node is ended by Ray without an error, and one whose head is lost waits for a minute.
So the process that called `learnrate.sweep` does not connect to Ray. It starts the driver and talks to it through a
pair of sockets: it sends a `Job`, and receives ``(kind, …)`` tuples, the last of which is ``("done",)``. It may then send another
job, for the same workers. When it sends `LEAVE`, or the other end is closed, the driver ends its workers and exits.
"""

from __future__ import annotations

import _thread
import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from learnrate.cluster.connection import connected, load_ray
from learnrate.cluster.lanes import split_lanes
from learnrate.cluster.passes import UNITS_AHEAD, split_passes, unit_bytes
from learnrate.cluster.pickling import by_value, what_cannot_be_sent
from learnrate.cluster.pool import WorkerPool
from learnrate.cluster.split import choose_split
from learnrate.errors import ClusterError, OptionError, option
from learnrate.linear.fused import FusedEngine, gram_pays, numba_works
from learnrate.linear.problem import LinearProblem, beyond_grams
from learnrate.training.executors import States
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["LEAVE", "Job", "main", "pack_job", "receive_job", "send_job"]

LEAVE = "leave"
_STORE_SLACK_BYTES = 1 << 27
_PROGRESS_INTERVAL_S = 0.1


@dataclass(frozen=True, eq=False)
class Job:
    """What to train on a cluster, and how.

    Attributes
    ----------
    problems, starts
        As `learnrate.training.executors.Executor` takes them: the same examples for every seed. The problems have
        no progress callback.
    engine : Engine
        The engine of the driver, which trains where the data is split.
    address, split, workers
        The arguments of `learnrate.cluster.ray.RayCluster`.
    nbytes : int
        Size of the pickled job, known where it was received.
    """

    problems: Sequence[Any]
    starts: Sequence[LaneStates | None]
    engine: Engine
    address: str
    split: str | None
    workers: int | None
    nbytes: int = 0


def send_job(pipe: Connection[Any, Any], packed: tuple[bytes, list[pickle.PickleBuffer]]) -> None:
    """Write a packed job. Its arrays are sent without a copy."""
    body, arrays = packed
    buffers = [array.raw() for array in arrays]
    pipe.send((body, [buffer.nbytes for buffer in buffers]))
    for buffer in buffers:
        if buffer.nbytes:
            pipe.send_bytes(buffer)


def pack_job(job: Job) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickle a job: its bytes, and its arrays apart. The user's functions and classes are sent with their code.

    Raises
    ------
    ClusterError
        If something cannot be pickled.
    """
    cloudpickle = load_ray().cloudpickle
    arrays: list[pickle.PickleBuffer] = []
    with by_value(cloudpickle):
        try:
            body = cloudpickle.dumps(job, protocol=5, buffer_callback=arrays.append)
        except Exception as error:  # pickling calls the user's code, which can raise anything
            raise ClusterError(
                "A sweep on a cluster sends model, data and loss to its workers. Got what cannot be pickled: "
                f"{what_cannot_be_sent(job.problems, cloudpickle, error)}; make it inside a function that is given as "
                f"the model, or sweep without {option('cluster')}."
            ) from error
    return body, arrays


def receive_job(pipe: Connection[Any, Any]) -> Job | None:
    """Read what `send_job` wrote; None for `LEAVE`. An array that several problems share is still one array."""
    message = pipe.recv()
    if message == LEAVE:
        return None
    body, sizes = message
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        if buffer:
            pipe.recv_bytes_into(buffer)
    job: Job = pickle.loads(body, buffers=buffers)
    return replace(job, nbytes=len(body) + sum(sizes))


def main() -> None:
    """Run jobs: read them from the socket whose file descriptor is the first argument, and write the replies there."""
    pipe: Connection[Any, Any] = Connection(int(sys.argv[1]))
    lock = threading.Lock()

    def reply(*what: Any) -> None:
        with lock:
            pipe.send(what)

    with suppress(KeyboardInterrupt, OSError):  # told to leave, or the other end is closed
        try:
            jobs = _Jobs(pipe)
            job = jobs.next()
            if job is not None:
                _Training(job, reply).run(jobs)
        except Exception as error:
            reply("error", error)


class _Jobs:
    """The jobs that come through a pipe. If it is closed, or `LEAVE` comes, while one is run, the main thread is interrupted."""

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        self._pipe = pipe
        self._waiting: queue.SimpleQueue[Job | Exception | None] = queue.SimpleQueue()
        self._lock, self._running, self._closed = threading.Lock(), False, False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while (job := receive_job(self._pipe)) is not None:
                self._waiting.put(job)
                del job  # its examples may be large
        except (EOFError, OSError):
            pass
        except Exception as error:  # it cannot be unpickled
            self._waiting.put(error)
        with self._lock:
            self._closed = True
            if self._running:
                _thread.interrupt_main()
        self._waiting.put(None)

    def next(self) -> Job | None:
        """Wait for the next job; None after the last."""
        with self._lock:
            self._running = False
        job = self._waiting.get()
        if isinstance(job, Exception):
            raise job
        with self._lock:
            self._running = not self._closed
        return None if self._closed else job


class _Training:
    """Runs jobs on the same workers; `learnrate.cluster.launch.Driver.replies` lists the replies."""

    def __init__(self, job: Job, reply: Callable[..., None]) -> None:
        self.job, self.reply = job, reply
        self.engine = job.engine.listened_to(partial(self.reply, "message"))
        self.split, self.starting = "nothing", 0.0

    def run(self, jobs: _Jobs) -> None:
        """Connect, train, disconnect."""
        job: Job | None = self.job
        assert job is not None
        began = time.perf_counter()
        cpus = job.workers or os.cpu_count() or 1
        # Kernels are loaded while Ray and the workers start.
        preparing = threading.Thread(
            target=self.engine.warm_up, args=(job.problems[0],), daemon=True
        )
        preparing.start()
        with connected(job.address, cpus=cpus, store=_store(job, cpus)) as connection:
            self.reply("addresses", connection.addresses)
            pool = None
            try:
                pool = WorkerPool(
                    connection,
                    job.problems,
                    job.engine.alone(),
                    at_most=job.workers,
                    on_message=partial(self.reply, "message"),
                )
                preparing.join()
                self.starting = time.perf_counter() - began
                while job is not None:
                    self.job = job = replace(job, problems=pool.shared())  # frees the own copy
                    self._train(pool)
                    self.reply("done")
                    job = jobs.next()
                    if job is not None:
                        self.job = replace(self.job, problems=[])  # frees the last one's
                        pool.hold(job.problems)
            except Exception as error:
                # Before disconnecting: from a lost cluster that takes long, or ends this process.
                self.reply("error", error)
            finally:
                if pool is not None:
                    self._end(pool, time.perf_counter() - began - self.starting)

    def _train(self, pool: WorkerPool) -> None:
        self.split = self._split(len(pool.ready))
        with closing(self._states(self.split, pool)) as states:
            for s, state in states:
                self.reply("state", s, state)

    def _end(self, pool: WorkerPool, training: float) -> None:
        pool.close()
        who, *each = pool.summary()
        lines = [f"{self.split} split over {who}, ready in {self.starting:.1f} s", *each]
        self.reply("summary", lines, self.starting, training)

    def _split(self, workers: int) -> str:
        job, first = self.job, self.job.problems[0]
        if not (isinstance(self.engine, FusedEngine) and numba_works()):
            return "lanes"
        why_not = beyond_grams(first)
        if why_not and job.split == "data":
            raise OptionError(
                f"{option('cluster_split', 'data')} is for training through Gram matrices. Got {first.loss.name} loss "
                f"by {first.optimizer}; use {option('cluster_split', 'lanes')}."
            )
        if why_not:
            return "lanes"
        if job.split is None:
            return choose_split(first, len(job.problems), workers)
        if job.split == "data" and not gram_pays(first.d, first.batch_size, first.lanes):
            raise OptionError(
                f"{option('cluster_split', 'data')} is for training through Gram matrices. Got "
                f"{first.d} features and a batch size of {first.batch_size}, for which rows are quicker; use "
                f"{option('cluster_split', 'lanes')}, or a larger batch size."
            )
        return job.split

    def _states(self, split: str, pool: WorkerPool) -> States:
        job = self.job
        if split != "data" or not isinstance(self.engine, FusedEngine):
            return split_lanes(pool, job.problems, job.starts)
        problems = [
            replace(problem, on_rows=self._progress_of(s)) for s, problem in enumerate(job.problems)
        ]
        return split_passes(pool, self.engine, problems, job.starts)

    def _progress_of(self, s: int) -> Callable[[int], None]:
        """The callback that reports how many examples an epoch of problem ``s`` has visited."""
        reported = 0.0

        def report(rows: int) -> None:
            nonlocal reported
            if time.monotonic() - reported > _PROGRESS_INTERVAL_S:
                reported = time.monotonic()
                self.reply("rows", s, rows)

        return report


def _store(job: Job, cpus: int) -> int:
    """Bytes of the object store that the job needs on one machine: its problems, and the units being sent."""
    first = job.problems[0]
    units = 2 * UNITS_AHEAD * unit_bytes(first) * cpus if isinstance(first, LinearProblem) else 0
    return _STORE_SLACK_BYTES + 5 * job.nbytes // 4 + units
