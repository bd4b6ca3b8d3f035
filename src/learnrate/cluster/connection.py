"""Connecting to a Ray cluster, checking that it answers, and disconnecting."""

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
from learnrate.errors import ClusterError, OptionError, option

__all__ = [
    "Addresses",
    "Connection",
    "addresses_at",
    "callers_address",
    "connected",
    "load_ray",
    "lost_head",
]

_NAMESPACE = "learnrate"
_ANSWER_TIMEOUT_S = 2.0
_TRIES = 3


def load_ray() -> ModuleType:
    """Import Ray, with its usage statistics switched off."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return require("ray", extra="ray", purpose="sweeps on a cluster")


class Addresses(NamedTuple):
    """Host and port of the cluster's head, and of Ray on this machine. A sweep needs both."""

    head: tuple[str, int]
    near: tuple[str, int]

    def answer(self) -> bool:
        """Whether both answer."""
        return _answers(*self.near) and _answers(*self.head)

    def lost(self) -> bool:
        """Whether one of them does not answer. It is tried three times, since a busy machine may answer late."""
        for _ in range(_TRIES):
            if self.answer():
                return False
            time.sleep(_ANSWER_TIMEOUT_S / _TRIES)
        return True


def addresses_at(address: str) -> Addresses | None:
    """The addresses known before connecting: those of ``host:port``; None for ``"local"`` and ``"auto"``.

    Raises
    ------
    OptionError
        If it is not an address.
    ClusterError
        If nothing answers there. Ray itself would go on trying for half a minute.
    """
    if address in ("local", "auto"):
        return None
    head = _split(address)
    if not _answers(*head):
        raise ClusterError(
            f"{option('cluster')} must be local, auto or the host:port of a running Ray cluster. Got {address!r} "
            "instead, where nobody answers; start one with: ray start --head"
        )
    return Addresses(head, head)


def lost_head(addresses: Addresses) -> ClusterError:
    """The error for a cluster whose head, or Ray on this machine, no longer answers."""
    return ClusterError(
        "The head of the Ray cluster, and Ray on this machine, must stay up during a sweep. Got no "
        f"answer from {':'.join(map(str, addresses.head))}; sweep on another cluster, or without one. With "
        f"{option('checkpoint')} it goes on from the last epoch saved."
    )


class Connection:
    """A connection to Ray, and the addresses that must keep answering."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        context = ray.get_runtime_context()
        here = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
        near = str(here["NodeManagerAddress"]), int(here["NodeManagerPort"])
        self.addresses = Addresses(_split(context.gcs_address), near)

    def room(self, processor: str) -> dict[str, int]:
        """How many workers each node that is up has room for, by its id: each takes a CPU, and a GPU where it trains on one."""
        return {
            node["NodeID"]: int(min(node["Resources"].get(name, 0) for name in ("CPU", processor)))
            for node in self.ray.nodes()
            if node["Alive"]
        }


@contextmanager
def connected(
    address: str, *, cpus: int, store: int, gpus: int | None = None
) -> Iterator[Connection]:
    """Connect to a cluster, or start one on this machine; disconnect at the end.

    Parameters
    ----------
    address : str
        ``"local"`` starts a cluster; ``"auto"`` is the one that runs on this machine; else ``host:port``.
    cpus, store : int
        CPUs of a cluster that is started here, and the bytes of its object store.
    gpus : int, optional
        GPUs of a cluster that is started here. Unless given, all that Ray finds.

    Raises
    ------
    ClusterError
        If there is no cluster at the address.
    """
    ray = load_ray()
    settings: dict[str, Any] = {"num_cpus": cpus, "num_gpus": gpus, "object_store_memory": store}
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
            f"{option('cluster')} must be local, auto or the host:port of a running Ray cluster. "
            f"Got {address!r} instead ({said[0] if said else type(error).__name__}); start one with: "
            "ray start --head, and if it runs, set RAY_AUTH_MODE=token here where it asks for a token"
        ) from error
    try:
        yield connection
    finally:
        ray.shutdown()


def callers_address() -> str | None:
    """The address of the cluster to which the user's program is already connected; None if it is not."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return None
    return str(ray.get_runtime_context().gcs_address)


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 1 << 16) or "/" in host:
        raise OptionError(
            f"{option('cluster')} must be local, auto or the host:port of a running Ray cluster. Got {address!r} "
            "instead."
        )
    return host.strip("[]"), int(port)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _ANSWER_TIMEOUT_S).close()
    except OSError:
        return False
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """Connect without Ray's thread that prints errors of workers on standard output.

    `WorkerPool` reports lost workers itself, and ``--json`` must print a single document. Ray has no option for it.
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
