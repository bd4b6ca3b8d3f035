"""The workers of a sweep: started as the cluster has CPUs for them, replaced when they are lost."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from learnrate import __version__
from learnrate.cluster.connection import Connection
from learnrate.cluster.worker import Worker
from learnrate.engines.problem import LinearProblem
from learnrate.errors import ClusterError

__all__ = ["Crew", "Done", "Member"]

_PATIENCE = 120.0
"""Seconds to wait for a first worker."""
_MOST_DEATHS = 5
"""In a row, without anything done in between: then it is no accident."""
_FEW = 12
"""Workers that are named at the end."""
_LOOK = 2.0
"""Seconds between looks for CPUs that have come or gone."""


@dataclass(eq=False)
class Member:
    """A worker and what it has been given to do.

    Attributes
    ----------
    jobs : dict
        What it was given, by the reference of what is to come back.
    examples, seconds : int, float
        What it has gone through, and the time it took.
    """

    actor: Any
    greeting: Any
    name: str = ""
    machine: str = ""
    jobs: dict[Any, tuple[Any, Any]] = field(default_factory=dict)
    examples: int = 0
    seconds: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether it has said hello."""
        return self.greeting is None


class Done(NamedTuple):
    """A job that came back with a reference to its result, or None: it is to be done again."""

    member: Member
    job: Any
    result: Any


class Crew:
    """Workers on all CPUs of a cluster, ``at_most`` of them if given.

    Raises
    ------
    ClusterError
        From any method, if workers die again and again, or run another learnrate.
    """

    def __init__(
        self,
        connection: Connection,
        problems: Sequence[LinearProblem],
        engine: str,
        *,
        at_most: int | None = None,
        on_message: Callable[[str], object] | None = None,
    ) -> None:
        self.connection, self.ray = connection, connection.ray
        self.engine, self.at_most, self.on_message = engine, at_most, on_message
        self.problems = self._put(list(problems))
        self.members: list[Member] = []
        self.left: list[Member] = []  # workers that were lost, for the account at the end
        self._deaths, self._looked, self._why = 0, 0.0, ""
        self._actor = self.ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)
        self._wait_for_first()

    def _put(self, problems: list[LinearProblem]) -> Any:
        """Into the object store, once: X and y are shared by all seeds, and by all workers of a node."""
        try:
            return self.ray.put(problems)
        except (self.ray.exceptions.RayError, MemoryError) as error:
            raise ClusterError(
                f"The examples must fit the cluster's object store. Got: {_first_line(error)}; start it "
                "with a larger --object-store-memory, or use --dtype float32."
            ) from error

    def shared(self) -> list[LinearProblem]:
        """The problems as workers have them: their arrays are in the object store, and cannot be written."""
        problems: list[LinearProblem] = self.ray.get(self.problems)
        return problems

    def _wait_for_first(self) -> None:
        until = time.monotonic() + _PATIENCE
        while not any(member.ready for member in self.members):
            if time.monotonic() > until:
                raise ClusterError(
                    f"The cluster must have a free CPU. Got none in {_PATIENCE:.0f} s; end what "
                    "else runs on it, or add a node with: ray start --address=…"
                )
            self.wait(0.2)
        # The others are about to come: what is cut by the number of workers had better know them.
        until = min(until, time.monotonic() + 10.0)
        while not all(member.ready for member in self.members) and time.monotonic() < until:
            self.wait(0.1)

    @property
    def ready(self) -> list[Member]:
        """Workers that can be given something."""
        return [member for member in self.members if member.ready]

    @property
    def machines(self) -> set[str]:
        """Where the workers are."""
        return {member.machine for member in self.ready}

    def free(self, depth: int = 1) -> Iterator[Member]:
        """Workers with fewer than ``depth`` jobs, again and again, those with the fewest first."""
        while members := [m for m in self.ready if len(m.jobs) < depth]:
            yield min(members, key=lambda member: len(member.jobs))

    def give(self, member: Member, job: Any, method: str, *arguments: Any) -> None:
        """Let a worker begin with a job; it comes back from `wait`."""
        call = getattr(member.actor, method).options(num_returns=2)
        effort, result = call.remote(*arguments)
        member.jobs[effort] = job, result

    def wait(self, timeout: float) -> list[Done]:
        """What has come back, after at most so many seconds if nothing does."""
        self._look_around()
        jobs = {ref: member for member in self.members for ref in member.jobs}
        new = {m.greeting: m for m in self.members if not m.ready}
        refs = [*new, *jobs]
        if not refs:
            time.sleep(timeout)
            return []
        back, _ = self.ray.wait(refs, num_returns=len(refs), timeout=0)
        if not back and timeout:
            back, _ = self.ray.wait(refs, num_returns=1, timeout=timeout)
        done: list[Done] = []
        for ref in back:
            member = new.get(ref) or jobs[ref]
            if member not in self.members:
                continue  # lost a moment ago, with all its jobs
            try:
                answer = self.ray.get(ref)
            except self.ray.exceptions.RayTaskError as error:
                raise _cause(error) from None
            except self.ray.exceptions.RayError as error:
                done += self._lose(member, error)
                continue
            if not member.ready:
                self._welcome(member, answer)
                continue
            self._deaths = 0
            job, result = member.jobs.pop(ref)
            member.examples += answer[0]
            member.seconds += answer[1]
            done.append(Done(member, job, result))
        return done

    def get(self, result: Any) -> Any:
        """A result, in arrays that can be written as any are; None if it was lost with its node."""
        try:
            return copy.deepcopy(self.ray.get(result))
        except self.ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self.ray.exceptions.RayError:
            return None

    def close(self) -> None:
        """End the workers."""
        for member in self.members:
            if self.connection.places.stand():  # else they are gone, and Ray would wait for them
                self.ray.kill(member.actor)
        self.left += self.members
        self.members = []

    def account(self) -> list[str]:
        """How many workers there were, and who they were and how fast; not more than a few."""
        worked = [m for m in [*self.left, *self.members] if m.seconds]
        lines = [
            f"{m.name}: {m.examples:,} examples, {m.examples / m.seconds:,.0f} a second"
            for m in worked[:_FEW]
        ]
        if len(worked) > _FEW:
            rate = sum(m.examples / m.seconds for m in worked) / len(worked)
            lines.append(f"{len(worked) - _FEW} more; on average {rate:,.0f} a second")
        return [f"{len(worked)} worker{'s' * (len(worked) != 1)} of a Ray cluster", *lines]

    def _look_around(self) -> None:
        """Start a worker for every CPU that has none."""
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        wanted = self.connection.cpus()
        if self.at_most is not None:
            wanted = min(wanted, self.at_most)
        for _ in range(wanted - len(self.members)):
            actor = self._actor.remote(self.problems, self.engine)
            self.members.append(Member(actor, actor.hello.remote()))

    def _welcome(self, member: Member, who: Any) -> None:
        member.greeting = None
        member.machine = who.node
        member.name = f"worker {who.pid} on {who.node}"
        if who.version != __version__:
            raise ClusterError(
                f"Every node must have the same learnrate as this one, {__version__}. Got "
                f"{who.version} on {who.node} instead; install it there."
            )
        self._say(f"{member.name} joined: {len(self.ready)} in all")

    def _lose(self, member: Member, error: Exception) -> list[Done]:
        """Strike a worker off; its jobs come back undone."""
        self._deaths += 1
        self.members.remove(member)
        self.left.append(member)
        self.ray.kill(member.actor)
        if self._deaths >= _MOST_DEATHS:
            raise ClusterError(
                f"Workers must be able to run learnrate. Got {self._deaths} deaths in a row, the last "
                f"with: {_first_line(error)}; see whether learnrate is installed on every node, and "
                "whether its memory suffices."
            ) from None
        if member.ready:
            self._say(f"{member.name} was lost; what it was doing is done again")
        self._looked = 0.0  # a CPU is free now
        return [Done(member, job, None) for job, _ in member.jobs.values()]

    def _say(self, message: str) -> None:
        if self.on_message is not None:
            self.on_message(f"Cluster: {message}.")


def _cause(error: Any) -> Exception:
    """What was raised on the worker, as it would have been here."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
