"""The connection to a Ray cluster: made, watched and ended."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from learnrate._extras import require
from learnrate.errors import ClusterError, OptionError

__all__ = [
    "Connection",
    "Places",
    "callers_own",
    "connected",
    "head_is_lost",
    "load_ray",
    "places_at",
]

_NAMESPACE = "learnrate"
_ANSWER = 2.0
"""Seconds in which a head must answer."""
_TRIES = 3


def load_ray() -> ModuleType:
    """Import Ray, which must send no usage statistics for us."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return require("ray", extra="ray", purpose="sweeps on a cluster")


class Places(NamedTuple):
    """Host and port of what a sweep cannot do without: the cluster's head, and Ray on this machine."""

    head: tuple[str, int]
    near: tuple[str, int]

    def stand(self) -> bool:
        """Whether both answer."""
        return _answers(*self.near) and _answers(*self.head)

    def lost(self) -> bool:
        """Whether one of them is gone: asked more than once, since a busy machine may answer late."""
        for _ in range(_TRIES):
            if self.stand():
                return False
            time.sleep(_ANSWER / _TRIES)
        return True


def places_at(address: str) -> Places | None:
    """What is known of them before there is a connection: for ``host:port`` that the head is there.

    Raises
    ------
    OptionError
        If it is no address.
    ClusterError
        If nobody answers there, which Ray would try for half a minute.
    """
    if address in ("local", "auto"):
        return None
    head = _split(address)
    if not _answers(*head):
        raise ClusterError(
            f"--cluster must be local, auto or the host:port of a running Ray cluster. Got {address!r} "
            "instead, where nobody answers; start one with: ray start --head"
        )
    return Places(head, head)


def head_is_lost(places: Places) -> ClusterError:
    """The error for that."""
    return ClusterError(
        "The head of the Ray cluster, and Ray on this machine, must stay up during a sweep. Got no "
        f"answer from {':'.join(map(str, places.head))}; sweep on another cluster, or without one. With "
        "--checkpoint (in Python: checkpoint=...) it goes on from the last epoch saved."
    )


class Connection:
    """Ray, connected, and the places that must stand."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        context = ray.get_runtime_context()
        here = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
        near = str(here["NodeManagerAddress"]), int(here["NodeManagerPort"])
        self.places = Places(_split(context.gcs_address), near)

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
    settings: dict[str, Any] = {"num_cpus": cpus, "object_store_memory": store}
    if address != "local":
        settings = {}
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


def callers_own() -> str | None:
    """The address of the cluster that this process has connected to itself, if it has."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return None
    return str(ray.get_runtime_context().gcs_address)


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
