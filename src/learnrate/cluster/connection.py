"""The connection to a Ray cluster: made, watched and ended."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from learnrate._extras import require
from learnrate.errors import ClusterError, OptionError

__all__ = ["Connection", "connected", "load_ray"]

_NAMESPACE = "learnrate"
_ANSWER = 2.0
"""Seconds in which a head must answer."""
_TRIES = 3


def load_ray() -> ModuleType:
    """Import Ray, which must send no usage statistics for us."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return require("ray", extra="ray", purpose="sweeps on a cluster")


class Connection:
    """Ray, connected, and the address of the cluster's head."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        context = ray.get_runtime_context()
        self._head = _split(context.gcs_address)
        here = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
        self._near = str(here["NodeManagerAddress"]), int(here["NodeManagerPort"])
        self._checked = 0.0

    def check(self, every: float = 1.0) -> None:
        """Raise `ClusterError` if the head is lost, or this machine's own node.

        Ray itself would wait for a minute, if it is the head, and then end this process, and else end it at
        the next object that is asked for; nothing could be said or saved then.
        """
        if time.monotonic() - self._checked < every:
            return
        for _ in range(_TRIES):
            if self.stands():
                self._checked = time.monotonic()
                return
            time.sleep(_ANSWER / _TRIES)
        raise ClusterError(
            "The head of the Ray cluster, and Ray on this machine, must stay up during a sweep. Got no "
            f"answer from {':'.join(map(str, self._head))}; sweep on another cluster, or without one. With "
            "--checkpoint (in Python: checkpoint=...) it goes on from the last epoch saved."
        )

    def stands(self) -> bool:
        """Whether both answer."""
        return _answers(*self._near) and _answers(*self._head)

    def cpus(self) -> int:
        """CPUs of all nodes that are up."""
        nodes = self.ray.nodes()
        return sum(int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"])


@contextmanager
def connected(address: str, *, cpus: int, store: int) -> Iterator[Connection]:
    """Connect, or start a cluster on this machine, and leave it as it was found.

    Parameters
    ----------
    address : str
        ``"local"`` starts one; ``"auto"`` is the one that runs on this machine; else ``host:port``.
    cpus, store : int
        CPUs, and bytes of the object store, of one that is started.

    Raises
    ------
    ClusterError
        If there is none at the address.
    """
    ray = load_ray()
    if ray.is_initialized():  # the caller's own: it is theirs to end
        yield Connection(ray)
        return
    settings: dict[str, Any] = {"num_cpus": cpus, "object_store_memory": store}
    if address != "local":
        settings = {}
        _refuse_silent(address)
    try:
        with _quiet():
            ray.init(
                address=address,
                namespace=_NAMESPACE,
                include_dashboard=False if settings else None,
                log_to_driver=False,
                logging_level="CRITICAL",
                **settings,
            )
        connection = Connection(ray)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        ray.shutdown()
        said = str(error).strip().splitlines()
        raise ClusterError(
            "--cluster must be local, auto or the host:port of a running Ray cluster. "
            f"Got {address!r} instead ({said[0] if said else type(error).__name__}); start one with: "
            "ray start --head, and if it runs, set RAY_AUTH_MODE=token here where it asks for a token"
        ) from error
    try:
        yield connection
    finally:
        ray.shutdown()


def _refuse_silent(address: str) -> None:
    """Say at once that nobody answers, which Ray tries for half a minute."""
    if address == "auto":
        return
    host, port = _split(address)
    if not _answers(host, port):
        raise ClusterError(
            f"--cluster must be local, auto or the host:port of a running Ray cluster. Got {address!r} "
            "instead, where nobody answers; start one with: ray start --head"
        )


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 1 << 16) or "/" in host:
        raise OptionError(
            f"--cluster must be local, auto or the host:port of a running Ray cluster. Got {address!r} "
            "instead."
        )
    return host.strip("[]"), int(port)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _ANSWER).close()
    except OSError:
        return False
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """Connect without the thread that prints what happens to workers on standard output.

    We say ourselves what matters, and ``--json`` promises one document there. Ray has no option for it.
    """
    import ray._private.worker as internals

    name = "listen_error_messages"
    printing = getattr(internals, name, None)
    if printing is None:
        yield
        return
    setattr(internals, name, lambda *_: None)
    try:
        yield
    finally:
        setattr(internals, name, printing)
