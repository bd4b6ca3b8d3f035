"""Starting the driver process, reading its replies, and ending it."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from typing import Any

from learnrate.cluster.connection import Addresses, lost_head
from learnrate.cluster.driver import LEAVE, Job, pack_job, send_job
from learnrate.errors import ClusterError, option

__all__ = ["Driver"]

_COMMAND = "from learnrate.cluster.driver import main; main()"
_MOST_WAITING = 64
"""Replies that may wait to be read; with more the driver waits."""
_HEAD_CHECK_INTERVAL_S = 1.0
"""After so long without a reply, check that the head answers."""
_EXIT_TIMEOUT_S = 10.0
"""The driver must have ended its workers and exited by then."""


class Driver:
    """A process that runs `learnrate.cluster.driver.main`.

    It is in a session of its own, so Ctrl-C does not reach it; `close` tells it to exit.

    Parameters
    ----------
    addresses : Addresses, optional
        Addresses that must answer, where they are known before connecting.

    Raises
    ------
    ClusterError
        If it cannot be started.
    """

    def __init__(self, addresses: Addresses | None) -> None:
        self._addresses = addresses
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        self._pipe, other = Pipe()
        try:
            with other:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _COMMAND, str(other.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=self._errors,
                    stderr=self._errors,
                    env={**os.environ, "PYTHONPATH": paths},
                    pass_fds=[other.fileno()],
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:  # ValueError: not on Windows
            self._pipe.close()
            self._errors.close()
            raise ClusterError(
                "A sweep on a cluster must be able to start a process of its own. Got: "
                f"{error}; sweep without {option('cluster')}."
            ) from error
        self._waiting: queue.Queue[tuple[Any, ...] | None] = queue.Queue(_MOST_WAITING)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, job: Job) -> None:
        """Send the job to the driver."""
        packed = pack_job(job)
        with suppress(OSError):  # the driver has exited: `replies` raises
            send_job(self._pipe, packed)

    def _read(self) -> None:
        """Read replies until the driver exits, perhaps in the middle of one."""
        with suppress(EOFError, OSError):
            while True:
                self._waiting.put(self._pipe.recv())
        self._waiting.put(None)

    def replies(self) -> Iterator[tuple[Any, ...]]:
        """Yield the replies, tuples ``(kind, …)``, until the job that was sent last is done.

        ========== ============================== =======================================================
        kind       with                           meaning
        ========== ============================== =======================================================
        message    a sentence                     for the user
        rows       problem, examples              examples that the current epoch of a problem has visited
        state      problem, state                 a new state of a problem
        summary    lines, starting, training      after `close`: the workers, and two durations in seconds
        ========== ============================== =======================================================

        Raises
        ------
        ClusterError
            If the head is lost, or the driver exits early.
        Exception
            Any exception that the driver raised.
        """
        while (reply := self._next()) is not None:
            kind, *rest = reply
            if kind == "addresses":
                (self._addresses,) = rest
            elif kind == "error":
                # Workers die too where the head is lost: then report the head.
                if isinstance(rest[0], ClusterError):
                    self._check()
                raise rest[0]
            elif kind == "done":
                return
            else:
                yield reply
        code = self._process.wait()
        self._check()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        raise ClusterError(
            "The process that holds the connection to Ray must live as long as the sweep. Got its end, with "
            f"exit code {code}{f' ({said[-1]})' if said else ''}; with {option('checkpoint')} "
            "the sweep goes on from the last epoch saved."
        )

    def _next(self) -> tuple[Any, ...] | None:
        """The next reply, or None after the last. While waiting, check that the head answers."""
        while True:
            try:
                return self._waiting.get(timeout=_HEAD_CHECK_INTERVAL_S)
            except queue.Empty:
                self._check()

    def _check(self) -> None:
        """Raise ClusterError, and kill the driver, if the head is lost."""
        if self._addresses is not None and self._addresses.lost():
            self._process.kill()
            raise lost_head(self._addresses)

    def close(self) -> list[tuple[Any, ...]]:
        """Tell the driver to exit, wait until it has, and return the replies that were not read yet."""
        with suppress(OSError):
            self._pipe.send(LEAVE)
        late = threading.Timer(_EXIT_TIMEOUT_S, self._process.kill)
        late.daemon = True
        late.start()
        rest = []
        try:
            while self._reader.is_alive() or not self._waiting.empty():
                with suppress(queue.Empty):
                    reply = self._waiting.get(timeout=0.05)
                    if reply is not None:
                        rest.append(reply)
            self._process.wait()
        finally:
            late.cancel()
            self._pipe.close()
            self._errors.close()
        return rest
