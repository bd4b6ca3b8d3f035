"""The workers of a sweep: one for each CPU of the cluster, or for each GPU; lost ones are replaced."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from learnrate.cluster.connection import Connection
from learnrate.cluster.worker import Worker
from learnrate.errors import ClusterError, option
from learnrate.training.problem import Engine, Problem
from learnrate.version import __version__

__all__ = ["Done", "Member", "WorkerPool"]

_FIRST_WORKER_TIMEOUT_S = 120.0
_OTHER_WORKERS_TIMEOUT_S = 10.0
_MOST_DEATHS = 5
"""If so many workers die in a row, with no task done in between, the sweep ends with an error."""
_MOST_NAMED = 12
"""Workers that the summary names one by one."""
_ROOM_CHECK_INTERVAL_S = 2.0


@dataclass(eq=False)
class Member:
    """A worker of the pool, with its tasks.

    Attributes
    ----------
    actor : Ray actor handle
        The `learnrate.cluster.worker.Worker`.
    identity_ref : Ray object reference or None
        To the worker's answer to its first call; None once that has come.
    name, machine : str
        How messages name the worker, and the node that it runs on.
    tasks : dict
        Tasks that the worker has not finished, with the references to their results; the keys are the references
        to their `Usage`.
    examples, seconds : int, float
        Examples that it has gone through, and the time that took.
    """

    actor: Any
    identity_ref: Any
    name: str = ""
    machine: str = ""
    tasks: dict[Any, tuple[Any, Any]] = field(default_factory=dict)
    examples: int = 0
    seconds: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether the worker has started."""
        return self.identity_ref is None


class Done(NamedTuple):
    """A task that has ended: with a reference to its result, or with None if its worker was lost."""

    member: Member
    task: Any
    result: Any


class WorkerPool:
    """Workers on all CPUs of a cluster, or on all GPUs where the problems are trained on these; at most ``at_most`` of them.

    Raises
    ------
    ClusterError
        From any method, if workers die again and again, or have another version of learnrate.
    """

    def __init__(
        self,
        connection: Connection,
        problems: Sequence[Problem],
        engine: Engine,
        *,
        at_most: int | None = None,
        on_message: Callable[[str], object] | None = None,
    ) -> None:
        self.connection, self.ray = connection, connection.ray
        self.engine, self.at_most, self.on_message = engine, at_most, on_message
        self.problems = self._put(list(problems))
        self.members: list[Member] = []
        self.lost: list[Member] = []
        self._deaths, self._checked = 0, 0.0
        self._processor = problems[0].processor
        self._actor = self.ray.remote(
            num_cpus=1,
            num_gpus=int(self._processor == "GPU"),
            max_restarts=0,
            max_task_retries=0,
        )(Worker)
        self._wait_for_first()

    def _put(self, problems: list[Any]) -> Any:
        """Put the problems into the object store, once: all seeds and all workers of a node share the arrays."""
        try:
            return self.ray.put(problems)
        except (self.ray.exceptions.RayError, MemoryError) as error:
            raise ClusterError(
                f"The examples must fit the cluster's object store. Got: {_first_line(error)}; start it "
                f"with a larger --object-store-memory, or use {option('dtype', 'float32')}."
            ) from error

    def hold(self, problems: Sequence[Problem]) -> None:
        """Give the workers other problems of the same sweep, in the place of those that they have."""
        self.problems = None
        for member in self.members:
            member.actor.hold.remote(None)
        self.problems = self._put(list(problems))
        for member in self.members:
            member.identity_ref = member.actor.hold.remote(self.problems)
        self._wait_for_first()

    def shared(self) -> list[Any]:
        """The problems with their arrays in the object store, read-only, as workers have them."""
        problems: list[Any] = self.ray.get(self.problems)
        return problems

    def _wait_for_first(self) -> None:
        until = time.monotonic() + _FIRST_WORKER_TIMEOUT_S
        while not any(member.ready for member in self.members):
            if time.monotonic() > until:
                raise ClusterError(
                    f"The cluster must have a free {self._processor}. Got none in {_FIRST_WORKER_TIMEOUT_S:.0f} s; end what "
                    "else runs on it, or add a node with: ray start --address=…"
                )
            self.wait(0.2)
        # Wait for the others too, since the work is divided by the number of workers.
        until = min(until, time.monotonic() + _OTHER_WORKERS_TIMEOUT_S)
        while not all(member.ready for member in self.members) and time.monotonic() < until:
            self.wait(0.1)

    @property
    def ready(self) -> list[Member]:
        """Workers that have started."""
        return [member for member in self.members if member.ready]

    @property
    def machines(self) -> set[str]:
        """Names of the nodes on which workers run."""
        return {member.machine for member in self.ready}

    def free(self, depth: int = 1) -> Iterator[Member]:
        """Yield the worker with the fewest tasks until every worker has ``depth`` of them."""
        while members := [m for m in self.ready if len(m.tasks) < depth]:
            yield min(members, key=lambda member: len(member.tasks))

    def give(self, member: Member, task: Any, method: str, *arguments: Any) -> None:
        """Give a worker a task: a call of ``method``. `wait` returns it when it has ended."""
        call = getattr(member.actor, method).options(num_returns=2)
        usage, result = call.remote(*arguments)
        member.tasks[usage] = task, result

    def wait(self, timeout: float) -> list[Done]:
        """The tasks that have ended; waits at most ``timeout`` seconds for one."""
        self._start_workers()
        tasks = {ref: member for member in self.members for ref in member.tasks}
        new = {m.identity_ref: m for m in self.members if not m.ready}
        refs = [*new, *tasks]
        if not refs:
            time.sleep(timeout)
            return []
        back, _ = self.ray.wait(refs, num_returns=len(refs), timeout=0)
        if not back and timeout:
            back, _ = self.ray.wait(refs, num_returns=1, timeout=timeout)
        done: list[Done] = []
        for ref in back:
            member = new.get(ref) or tasks[ref]
            if member not in self.members:
                continue  # lost in an earlier turn of this loop, with all its tasks
            try:
                answer = self.ray.get(ref)
            except self.ray.exceptions.RayTaskError as error:
                raise _cause(error) from None
            except self.ray.exceptions.RayError as error:
                done += self._remove(member, error)
                continue
            if not member.ready:
                self._register(member, answer)
                continue
            self._deaths = 0
            task, result = member.tasks.pop(ref)
            member.examples += answer[0]
            member.seconds += answer[1]
            done.append(Done(member, task, result))
        return done

    def get(self, result: Any) -> Any:
        """Fetch a result as writable arrays; None if it was lost with its node."""
        try:
            return copy.deepcopy(self.ray.get(result))
        except self.ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self.ray.exceptions.RayError:
            return None

    def close(self) -> None:
        """End the workers."""
        for member in self.members:
            if self.connection.addresses.answer():  # else the workers are gone, and Ray would wait
                self.ray.kill(member.actor)
        self.lost += self.members
        self.members = []

    def summary(self) -> list[str]:
        """Lines on how many workers there were, and how many examples a second each went through."""
        worked = [m for m in [*self.lost, *self.members] if m.seconds]
        lines = [
            f"{m.name}: {m.examples:,} examples, {m.examples / m.seconds:,.0f} a second"
            for m in worked[:_MOST_NAMED]
        ]
        if len(worked) > _MOST_NAMED:
            rate = sum(m.examples / m.seconds for m in worked) / len(worked)
            lines.append(f"{len(worked) - _MOST_NAMED} more; on average {rate:,.0f} a second")
        return [f"{len(worked)} worker{'s' * (len(worked) != 1)} of a Ray cluster", *lines]

    def _start_workers(self) -> None:
        """Start a worker for every CPU that has none, or for every GPU where that is what they train on."""
        if time.monotonic() - self._checked < _ROOM_CHECK_INTERVAL_S:
            return
        self._checked = time.monotonic()
        room = self.connection.room(self._processor)
        wanted = sum(room.values())
        if self.at_most is not None:
            wanted = min(wanted, self.at_most)
        share = {node: min(count, wanted) for node, count in room.items()}
        for _ in range(wanted - len(self.members)):
            actor = self._actor.remote(self.problems, self.engine, share)
            self.members.append(Member(actor, actor.identify.remote()))

    def _register(self, member: Member, who: Any) -> None:
        member.identity_ref, known = None, member.name
        member.machine = who.node
        member.name = f"worker {who.pid} on {who.node}"
        if who.version != __version__:
            raise ClusterError(
                f"Every node must have the same learnrate as this one, {__version__}. Got "
                f"{who.version} on {who.node} instead; install it there."
            )
        if not known:
            self._say(f"{member.name} joined: {len(self.ready)} in all")

    def _remove(self, member: Member, error: Exception) -> list[Done]:
        """Remove a lost worker, and return its tasks without results."""
        self._deaths += 1
        self.members.remove(member)
        self.lost.append(member)
        self.ray.kill(member.actor)
        if self._deaths >= _MOST_DEATHS:
            raise ClusterError(
                f"Workers must be able to run learnrate. Got {self._deaths} deaths in a row, the last "
                f"with: {_first_line(error)}; see whether learnrate is installed on every node, and "
                "whether its memory suffices."
            ) from None
        if member.ready:
            self._say(f"{member.name} was lost; what it was doing is done again")
        self._checked = 0.0  # start another worker at once
        return [Done(member, task, None) for task, _ in member.tasks.values()]

    def _say(self, message: str) -> None:
        if self.on_message is not None:
            self.on_message(f"Cluster: {message}.")


def _cause(error: Any) -> Exception:
    """The exception that the worker raised, without Ray's wrapper."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
