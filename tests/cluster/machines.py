"""Ray nodes as processes of their own on the loopback interface, ended by process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RAY = str(Path(sys.executable).with_name("ray"))
PATIENCE = 120.0
_PORTS = range(20_200, 32_000, 100)  # above those Ray gives its workers, below the ephemeral ones


def free_port() -> int:
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


@contextmanager
def node(
    folder: Path, *, port: int, head: bool, cpus: int = 1
) -> Iterator[subprocess.Popen[bytes]]:
    """A head that listens on ``port``, or a node of the one that does; ended with all it started."""
    place = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder}"]
    command = [RAY, "start", "--block", f"--num-cpus={cpus}", "--object-store-memory=100000000"]
    command += place if head else [f"--address=127.0.0.1:{port}"]
    command += ["--disable-usage-stats"] if head else []
    with (folder / f"{'head' if head else 'node'}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=os.environ.copy()
        )
        try:
            if head:
                wait_for(lambda: answers(port), process, Path(log.name))
            yield process
        finally:
            kill_session(process)


def answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def wait_for(condition: object, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    assert callable(condition)
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.2)


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL everything in the session that the process began: the node and its workers."""
    for pid in in_session(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(30)


def in_session(session: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]
