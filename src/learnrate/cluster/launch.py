"""A driver that works for this process: started, listened to, and ended."""

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

from learnrate.cluster.connection import Places, head_is_lost
from learnrate.cluster.driver import Job, send_job
from learnrate.errors import ClusterError

__all__ = ["Driver"]

_COMMAND = "from learnrate.cluster.driver import main; main()"
_KEPT = 64
"""Replies that may wait to be read: then the driver waits too."""
_LOOK = 1.0
"""Seconds without a reply after which the head is asked whether it stands."""
_PATIENCE = 10.0
"""Seconds in which a driver must end its workers and be gone."""


class Driver:
    """A process of `learnrate.cluster.driver`.

    It has no part in this process's terminal: Ctrl-C reaches us, and we tell it to leave.

    Parameters
    ----------
    places : Places, optional
        What must stand, as far as it is known before there is a connection.

    Raises
    ------
    ClusterError
        If it cannot be started.
    """

    def __init__(self, places: Places | None) -> None:
        self._places = places
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
                f"{error}; sweep without --cluster."
            ) from error
        self._waiting: queue.Queue[tuple[Any, ...] | None] = queue.Queue(_KEPT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, job: Job) -> None:
        """Give it its job."""
        with suppress(OSError):  # it is gone already: the replies say so
            send_job(self._pipe, job)

    def _read(self) -> None:
        """Take what it says until it is gone, perhaps in the middle of a word."""
        with suppress(EOFError, OSError):
            while True:
                self._waiting.put(self._pipe.recv())
        self._waiting.put(None)

    def replies(self) -> Iterator[tuple[Any, ...]]:
        """``(kind, …)``, as they come, until the job is done.

        ========== ============================== =======================================================
        kind       with                           when
        ========== ============================== =======================================================
        message    a sentence                     there is something to say
        rows       problem, examples              an epoch of a problem has visited so many examples
        state      problem, state                 a state of a problem is known
        account    lines, starting, training      at the end: who worked, and two durations in seconds
        ========== ============================== =======================================================

        Raises
        ------
        ClusterError
            If the head is lost, or the driver is gone for a reason of its own.
        Exception
            What was raised in the driver.
        """
        while (reply := self._next()) is not None:
            kind, *rest = reply
            if kind == "places":
                (self._places,) = rest
            elif kind == "error":
                # Workers die too where a head is lost; that is what matters then.
                if isinstance(rest[0], ClusterError):
                    self._check()
                raise rest[0]
            else:
                yield reply
                if kind == "account":
                    return
        code = self._process.wait()
        self._check()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        raise ClusterError(
            "The process that holds the connection to Ray must live as long as the sweep. Got its end, with "
            f"exit code {code}{f' ({said[-1]})' if said else ''}; with --checkpoint (in Python: checkpoint=...) "
            "the sweep goes on from the last epoch saved."
        )

    def _next(self) -> tuple[Any, ...] | None:
        """The next reply, or None after the last; while there is none, see whether the head still stands."""
        while True:
            try:
                return self._waiting.get(timeout=_LOOK)
            except queue.Empty:
                self._check()

    def _check(self) -> None:
        """Raise if the head is lost; the driver need not try to leave it in good order then."""
        if self._places is not None and self._places.lost():
            self._process.kill()
            raise head_is_lost(self._places)

    def close(self) -> list[tuple[Any, ...]]:
        """Tell it to leave, and wait until it and its workers are gone; what it has still said."""
        with suppress(OSError):
            self._pipe.send("leave")
        late = threading.Timer(_PATIENCE, self._process.kill)
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
